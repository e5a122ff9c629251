//! `build` of a service: what the engine's own builder can do. Everything else is refused, with a remedy.

use devenv_document::problem::Problem;
use devenv_document::tree::{Entry, Node};
use devenv_model::dockerfile::{Dockerfile, DockerfileBuild};

use crate::compose_reader::Reader;
use crate::compose_values::bytes;

const KEYS: [&str; 14] = [
    "context",
    "dockerfile",
    "dockerfile_inline",
    "args",
    "target",
    "labels",
    "platforms",
    "cache_from",
    "network",
    "extra_hosts",
    "shm_size",
    "no_cache",
    "pull",
    "tags",
];
/// Keys that need another builder than the one that every engine has, each with its replacement.
const INSTEAD: [(&str, &str); 3] = [
    ("secrets", "copy what the build needs into its context, or build the image with docker and name it with `image`"),
    ("ssh", "fetch private sources before the build, or build the image with docker and name it with `image`"),
    ("additional_contexts", "move the files below `context`, or build the image with docker and name it with `image`"),
];
/// The beginnings of a context that is no folder of this machine.
const REMOTE: [&str; 3] = ["github.com/", "git@", "docker-image:"];

impl Reader {
    /// `image` is the service's, which names what is built.
    pub(crate) fn build(&mut self, node: &Node, image: Option<String>) -> Option<DockerfileBuild> {
        let entries = self.mapping(node)?.to_vec();
        self.build_keys(entries);
        let get = |key: &str| node.get(key);
        let context = get("context").and_then(|node| self.context(node))?;
        let platforms = self.texts(get("platforms"));
        if let (Some(node), [_, _, ..]) = (get("platforms"), &platforms[..]) {
            let problem = Problem::at("compose.build", node, "an image here is for one platform");
            self.problems.push(problem.help("keep the platform of your engine"));
        }
        let extra_hosts = self.texts(get("extra_hosts"));
        if let (Some(node), [_, _, ..]) = (get("extra_hosts"), &extra_hosts[..]) {
            let problem = Problem::at("compose.build", node, "a build here has at most one extra host");
            self.problems.push(problem.help("keep one; write the others to /etc/hosts in the step that needs them"));
        }
        let dockerfile = match get("dockerfile_inline") {
            Some(node) => Dockerfile::Inline(self.text(node)?),
            None => {
                let named = get("dockerfile").and_then(|node| self.text(node));
                Dockerfile::File(context.join(named.as_deref().unwrap_or("Dockerfile")))
            }
        };
        Some(DockerfileBuild {
            dockerfile,
            args: self.pairs(get("args"), false),
            target: get("target").and_then(|node| self.text(node)),
            labels: self.pairs(get("labels"), false),
            platform: platforms.into_iter().next(),
            cache_from: self.texts(get("cache_from")),
            network: get("network").and_then(|node| self.text(node)),
            extra_hosts,
            shm_size: get("shm_size").and_then(|node| self.parsed(node, memory)),
            no_cache: get("no_cache").is_some_and(|node| self.boolean(node)),
            pull: get("pull").is_some_and(|node| self.boolean(node)),
            tags: self.texts(get("tags")),
            context,
            image,
        })
    }

    fn build_keys(&mut self, mut entries: Vec<Entry>) {
        entries.retain(|entry| {
            let Some((_, help)) = INSTEAD.iter().find(|(key, _)| *key == entry.key) else { return true };
            if !is_empty(&entry.value) {
                let message = format!("devenv does not support {} of a build", entry.key);
                let problem = Problem::new("compose.unsupported_key", &entry.key_file, entry.key_span.clone(), message);
                self.problems.push(problem.help(*help));
            }
            false
        });
        self.known_keys(&entries, &KEYS);
    }

    fn context(&mut self, node: &Node) -> Option<camino::Utf8PathBuf> {
        let text = self.text(node)?;
        if text.contains("://") || REMOTE.iter().any(|start| text.starts_with(start)) {
            let message = format!("the context {text} is not a folder of this machine");
            let help = "fetch it first (git clone), and name the folder";
            self.problems.push(Problem::at("compose.build", node, message).help(help));
            return None;
        }
        Some(text.into())
    }
}

fn is_empty(node: &Node) -> bool {
    node.is_null() || node.items().is_some_and(<[_]>::is_empty) || node.entries().is_some_and(<[_]>::is_empty)
}

/// The engines' interface has 31 bits for it.
fn memory(text: &str) -> Result<u64, String> {
    let size = bytes(text)?;
    if i32::try_from(size).is_ok() { Ok(size) } else { Err(format!("{text} is more than 2 GiB")) }
}
