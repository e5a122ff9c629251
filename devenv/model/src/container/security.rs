use std::collections::BTreeMap;

use serde::Serialize;

/// The rights of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Security {
    /// Whether the container cannot write to its own file system.
    pub read_only: bool,
    /// Whether it has every right of the engine.
    pub privileged: bool,
    pub cap_drop: Vec<String>,
    pub cap_add: Vec<String>,
    pub security_opt: Vec<String>,
    /// More groups of its user.
    pub groups: Vec<String>,
    pub sysctls: BTreeMap<String, String>,
    pub namespaces: Namespaces,
}

/// What a container shares with others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Namespaces {
    pub ipc: Option<Namespace>,
    pub pid: Option<Namespace>,
    pub uts: Option<Namespace>,
    pub cgroup: Option<Namespace>,
    pub user: Option<Namespace>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Namespace {
    /// A word of the engine, such as `private` or `host`.
    Named(String),
    /// The namespace of another service.
    Service(String),
}

impl Namespaces {
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        let all = [&self.ipc, &self.pid, &self.uts, &self.cgroup, &self.user];
        all.into_iter().filter_map(|namespace| match namespace {
            Some(Namespace::Service(service)) => Some(service.as_str()),
            Some(Namespace::Named(_)) | None => None,
        })
    }
}
