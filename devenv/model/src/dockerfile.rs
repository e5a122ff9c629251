//! `build` of a Compose service: how a container engine makes the service's image.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DockerfileBuild {
    /// The folder whose files the build sees; absolute.
    pub context: Utf8PathBuf,
    pub dockerfile: Dockerfile,
    pub args: BTreeMap<String, String>,
    pub target: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// Such as `linux/amd64`; the engine's own if `None`.
    pub platform: Option<String>,
    /// Images of the engine whose layers the build may use.
    pub cache_from: Vec<String>,
    /// The network of `RUN` steps.
    pub network: Option<String>,
    /// `HOST=ADDRESS`, for `RUN` steps.
    pub extra_hosts: Vec<String>,
    /// Bytes of shared memory, for `RUN` steps.
    pub shm_size: Option<u64>,
    pub no_cache: bool,
    /// Whether the engine looks for newer base images.
    pub pull: bool,
    /// Further names of the image.
    pub tags: Vec<String>,
    /// The service's `image`, which names the built image.
    pub image: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dockerfile {
    /// An absolute path, within the context or elsewhere.
    File(Utf8PathBuf),
    /// The text itself: `dockerfile_inline`.
    Inline(String),
}

impl DockerfileBuild {
    /// A build with no settings beyond its files.
    pub fn new(context: Utf8PathBuf, dockerfile: Dockerfile) -> Self {
        Self {
            context,
            dockerfile,
            args: BTreeMap::new(),
            target: None,
            labels: BTreeMap::new(),
            platform: None,
            cache_from: Vec::new(),
            network: None,
            extra_hosts: Vec::new(),
            shm_size: None,
            no_cache: false,
            pull: false,
            tags: Vec::new(),
            image: None,
        }
    }

    /// Facts that a person may not expect, for the project at `root`.
    pub fn notices(&self, service: &str, root: &Utf8Path) -> Vec<String> {
        let mut notices = Vec::new();
        if !self.context.starts_with(root) {
            notices.push(format!("{service} is built from {}, a folder outside this project", self.context));
        }
        for source in self.cache_from.iter().filter(|source| source.contains('=')) {
            notices.push(format!("{service} is built without cache_from {source}: only images serve as a cache here"));
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_elsewhere_and_a_cache_that_is_no_image_are_worth_a_notice() {
        let mut build = DockerfileBuild {
            cache_from: vec!["web:cache".to_owned()],
            ..DockerfileBuild::new("/shop/web".into(), Dockerfile::File("/shop/web/Dockerfile".into()))
        };
        assert_eq!(build.notices("web", Utf8Path::new("/shop")), [""; 0]);
        build.context = "/shop-web".into();
        build.cache_from.push("type=gha".to_owned());
        let notices = build.notices("web", Utf8Path::new("/shop"));
        assert_eq!(notices.len(), 2);
        assert!(notices[0].contains("/shop-web") && notices[1].contains("type=gha"), "{notices:?}");
    }
}
