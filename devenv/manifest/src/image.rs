//! The images that `devenv.toml` names.

use std::collections::BTreeMap;

use devenv_compose::interpolate::interpolate;
use toml::Spanned;

use crate::image_reference::flaw;
use crate::settings::Settings;
use devenv_document::problem::Problem;

/// Returns the image with the caller's variables filled in, or reports why it is unusable.
pub(crate) fn image(
    settings: &Settings,
    written: &Spanned<String>,
    variables: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let problem = |message: &str| Problem::new("manifest.image", &settings.file, written.span(), message);
    match interpolate(written.get_ref(), &|name| variables.get(name).cloned()) {
        Ok(image) if has_exact_version(&image) => match flaw(&image) {
            None => return Some(image),
            Some(flaw) => problems.push(
                problem(&format!("no engine accepts the image `{image}`: {flaw}"))
                    .help("an image is named like `amazon/dynamodb-local:2.6.1`"),
            ),
        },
        Ok(image) => problems.push(
            problem(&format!("the image {image} has no exact version"))
                .help("add a version, such as amazon/dynamodb-local:2.6.1; `latest` is not exact"),
        ),
        Err(failure) => problems.push(problem(&failure.message).help(failure.help.unwrap_or_default())),
    }
    None
}

/// Whether an image has a digest, or a tag other than `latest`.
fn has_exact_version(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}
