//! The stream of a table file.

use devenv_document::closest::closest;
use devenv_document::tree::Node;

use crate::tables::TableReader;

const VIEWS: [&str; 4] = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"];

impl TableReader<'_> {
    pub(crate) fn stream(&mut self, document: &Node) {
        let Some(stream) = document.get("StreamSpecification") else { return };
        if stream.entries().is_none() {
            let message = format!("StreamSpecification must be a mapping, not {}", stream.kind());
            self.report(
                stream.span.clone(),
                message,
                "write { \"StreamEnabled\": true, \"StreamViewType\": \"NEW_AND_OLD_IMAGES\" }",
            );
            return;
        }
        let enabled = stream.get("StreamEnabled");
        let Some(is_enabled) = enabled.and_then(Node::boolean) else {
            let span = enabled.unwrap_or(stream).span.clone();
            self.report(span, "StreamEnabled is missing or not a boolean", "write true or false, without quotes");
            return;
        };
        match (is_enabled, stream.get("StreamViewType")) {
            (true, None) => {
                let help = format!("add StreamViewType: {}", VIEWS.join(", "));
                self.report(stream.span.clone(), "a stream needs a StreamViewType", &help);
            }
            (true, Some(view)) => self.view(view),
            (false, Some(view)) => {
                let message = "a table without a stream has no StreamViewType";
                self.report(view.span.clone(), message, "remove it, or write \"StreamEnabled\": true");
            }
            (false, None) => {}
        }
    }

    fn view(&mut self, view: &Node) {
        let name = view.string().unwrap_or_default();
        if VIEWS.contains(&name) {
            return;
        }
        let message = match view.string() {
            Some(name) => format!("{name} is not a view of a stream"),
            None => "StreamViewType is not a string".to_owned(),
        };
        let help = closest(name, VIEWS)
            .map_or_else(|| format!("use {}", VIEWS.join(", ")), |meant| format!("did you mean {meant}?"));
        self.report(view.span.clone(), message, &help);
    }
}
