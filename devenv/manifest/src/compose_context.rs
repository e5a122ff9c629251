//! What the reader of a service knows besides the service.

use camino::Utf8Path;
use devenv_compose::load::Project;
use devenv_document::tree::Node;

#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) project: &'a Project,
    /// The folder of `devenv.toml`.
    pub(crate) root: &'a Utf8Path,
    /// The name of the service.
    pub(crate) service: &'a str,
}

impl<'a> Context<'a> {
    /// The description of a network, volume, secret or config.
    pub(crate) fn described(&self, section: &str, key: &str) -> Option<&'a Node> {
        self.project.model.get(section)?.get(key)
    }

    /// The name that the Compose file chose for a network or volume; `None` if it left it to the tool.
    pub(crate) fn chosen_name(&self, key: &str, described: &Node) -> Option<String> {
        let name = described.get("name").and_then(Node::text)?;
        (name != format!("{}_{key}", self.project.name)).then(|| name.to_owned())
    }
}
