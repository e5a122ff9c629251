//! The volumes, folders in memory and paths of this machine that a service mounts.

use camino::Utf8Path;
use devenv_document::problem::Problem;
use devenv_document::tree::Node;
use devenv_model::container::{Bind, Mount, MountSource, Volume, VolumesFrom};
use devenv_model::manifest::Concerns;

use crate::compose_context::Context;
use crate::compose_keys::{SERVICE_VOLUME, VOLUME};
use crate::compose_reader::Reader;
use crate::compose_values::bytes;

/// The sockets of container engines, and the folders that hold them.
const ENGINE_PATHS: [&str; 9] = [
    "/",
    "/var",
    "/run",
    "/var/run",
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/var/run/docker",
    "/run/podman/podman.sock",
    "/run/podman",
];
const PROPAGATIONS: [&str; 6] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

impl Reader {
    pub(crate) fn mounts(&mut self, service: &Node, context: Context) -> Vec<Mount> {
        let items = service.get("volumes").map(|node| self.list(node)).unwrap_or_default();
        let mut mounts: Vec<Mount> = items.iter().filter_map(|item| self.mount(item, context)).collect();
        for entry in self.texts_or_one(service.get("tmpfs")) {
            let (target, options) = entry.split_once(':').unwrap_or((&entry, ""));
            mounts.push(Mount::memory_with(target, options));
        }
        mounts
    }

    fn mount(&mut self, node: &Node, context: Context) -> Option<Mount> {
        let entries = self.mapping(node)?;
        self.use_keys(entries, SERVICE_VOLUME);
        let target = self.container_path(node.get("target")?)?;
        let read_only = node.get("read_only").is_some_and(|node| self.boolean(node));
        let source = match node.get("type").and_then(Node::text).unwrap_or_default() {
            "volume" => self.volume_source(node, context)?,
            "bind" => MountSource::Bind(self.bind(node, context)?),
            "tmpfs" => self.memory(node, read_only),
            other => {
                let message = format!("devenv does not support volumes of the type {other}");
                let problem = Problem::at("compose.unsupported_value", node.get("type").unwrap_or(node), message);
                self.problems.push(problem.help("use volume, bind or tmpfs"));
                return None;
            }
        };
        Some(Mount { target, read_only, source })
    }

    /// Reads an absolute path in the container.
    pub(crate) fn container_path(&mut self, node: &Node) -> Option<String> {
        let path = self.text(node)?;
        if path.starts_with('/') && !path.contains('\0') {
            return Some(path);
        }
        self.report("compose.value", node, format!("{path} is not an absolute path in the container"));
        None
    }

    fn volume_source(&mut self, node: &Node, context: Context) -> Option<MountSource> {
        let options = node.get("volume");
        let no_copy = options.and_then(|node| node.get("nocopy")).is_some_and(|node| self.boolean(node));
        if let Some(subpath) = options.and_then(|node| node.get("subpath")) {
            let problem = Problem::at("compose.unsupported_key", subpath, "devenv mounts whole volumes only");
            self.problems.push(problem.help("give the folder a volume of its own"));
        }
        let Some(source) = node.get("source") else {
            return Some(MountSource::Anonymous { no_copy });
        };
        let key = self.text(source)?;
        let volume = match context.described("volumes", &key) {
            Some(described) => self.volume(&key, described, context),
            None => Volume { key, ..Volume::default() },
        };
        Some(MountSource::Volume { volume, no_copy })
    }

    fn volume(&mut self, key: &str, described: &Node, context: Context) -> Volume {
        self.use_keys(described.entries().unwrap_or_default(), VOLUME);
        if let Some(driver) = described.get("driver")
            && !matches!(driver.text(), Some("" | "local" | "default"))
        {
            let message = format!("devenv does not support the volume driver {}", driver.text().unwrap_or_default());
            let problem = Problem::at("compose.unsupported_value", driver, message);
            self.problems.push(problem.help("use local, or make the volume yourself and mark it `external: true`"));
        }
        let driver_options = self.pairs(described.get("driver_opts"), false);
        if driver_options.get("o").is_some_and(|options| options.split(',').any(|option| option == "bind"))
            && let Some(device) = driver_options.get("device")
        {
            self.notice_path(described, device, context);
        }
        Volume {
            key: key.to_owned(),
            name: context.chosen_name(key, described),
            external: described.get("external").is_some_and(|node| self.boolean(node)),
            driver_options,
            labels: self.pairs(described.get("labels"), false),
        }
    }

    fn bind(&mut self, node: &Node, context: Context) -> Option<Bind> {
        let Some(source) = node.get("source") else {
            self.report("compose.value", node, "the bind has no `source`");
            return None;
        };
        let path = self.text(source)?;
        self.notice_path(source, &path, context);
        let options = node.get("bind");
        let mut word = |key: &str, known: &[&str]| {
            let node = options?.get(key)?;
            let word = self.text(node)?;
            if !known.contains(&word.as_str()) {
                self.choose(node, known, "an option here");
            }
            Some(word)
        };
        let propagation = word("propagation", &PROPAGATIONS);
        let selinux = word("selinux", &["z", "Z"]);
        let recursive = word("recursive", &["enabled", "disabled"]).as_deref() != Some("disabled");
        let create = options.and_then(|node| node.get("create_host_path")).is_some_and(|node| self.boolean(node));
        Some(Bind { path, create, propagation, selinux, recursive })
    }

    /// Tells a person about a path of this machine that the project does not have.
    fn notice_path(&mut self, node: &Node, path: &str, context: Context) {
        let service = context.service;
        if ENGINE_PATHS.contains(&path) || path.ends_with("/docker.sock") {
            let text = format!("{path} gives {service} control over the container engine, and so over this machine");
            self.notice(node, Concerns::Containers, &text);
        } else if !Utf8Path::new(path).starts_with(context.root) {
            self.notice(node, Concerns::Containers, &format!("{service} mounts {path}, which is outside the project"));
        }
    }

    fn memory(&mut self, node: &Node, read_only: bool) -> MountSource {
        let part = |key: &str| node.get("tmpfs").and_then(|node| node.get(key));
        let size = part("size").and_then(|node| self.parsed(node, bytes));
        let mode = part("mode").and_then(|node| self.number::<u32>(node));
        let options = [
            size.filter(|size| *size > 0).map(|size| format!("size={size}")),
            mode.map(|mode| format!("mode={mode:o}")),
            read_only.then(|| "ro".to_owned()),
        ];
        MountSource::Memory { options: options.into_iter().flatten().collect::<Vec<_>>().join(",") }
    }

    /// Reads `SERVICE[:ro|:rw]`.
    pub(crate) fn volumes_from(&mut self, node: Option<&Node>) -> Vec<VolumesFrom> {
        let items = node.map(|node| self.list(node)).unwrap_or_default();
        let mut read = Vec::new();
        for item in items {
            let Some(written) = self.text(item) else { continue };
            let (service, access) = written.split_once(':').unwrap_or((&written, "rw"));
            if service == "container" {
                let message = "devenv does not mount the volumes of another project's container";
                let problem = Problem::at("compose.unsupported_value", item, message);
                self.problems.push(problem.help("name the volume under `volumes` and mark it `external: true`"));
            } else if !matches!(access, "ro" | "rw") {
                self.report("compose.value", item, format!("{access} is neither ro nor rw"));
            } else {
                read.push(VolumesFrom { service: service.to_owned(), read_only: access == "ro" });
            }
        }
        read
    }
}
