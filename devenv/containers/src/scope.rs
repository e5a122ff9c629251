//! Which containers, networks and volumes belong to an environment: by labels, never by name alone.

use std::collections::BTreeMap;

use camino::Utf8Path;

use devenv_engine::Project;

/// The folder of `devenv.toml`: what every environment of one checkout shares, those of test runs too.
pub(crate) const ROOT: &str = "devenv.root";
/// The state directory, which tells one environment of a checkout from another.
pub(crate) const STATE: &str = "devenv.state";
pub(crate) const UNIT: &str = "devenv.unit";
pub(crate) const CONFIG_HASH: &str = "devenv.config-hash";
/// How to learn that the unit is usable, as JSON.
pub(crate) const PROBE: &str = "devenv.probe";
/// `false` on a container whose data goes when it stops: an outage of it is a pause.
pub(crate) const KEEPS_DATA: &str = "devenv.keeps-data";
/// On images: the name in `devenv.toml` of the system that they are part of.
pub(crate) const SYSTEM: &str = "devenv.system";

/// The names and labels of one environment.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The environment's name: of its network, and the beginning of every other name.
    pub instance: String,
    root: String,
    state: String,
}

impl Scope {
    pub(crate) fn of(project: &Project) -> Self {
        Self::new(&project.instance.name, &project.instance.root, project.state.path())
    }

    pub(crate) fn new(instance: &str, root: &Utf8Path, state: &Utf8Path) -> Self {
        Self { instance: instance.to_owned(), root: root.to_string(), state: state.to_string() }
    }

    /// Of a part of the environment that has a folder of its own and is removed by itself.
    pub fn of_part(project: &Project, folder: &Utf8Path, name: &str) -> Self {
        Self::new(&format!("{}-{name}", project.instance.name), &project.instance.root, folder)
    }

    pub fn state(&self) -> &str {
        &self.state
    }

    pub fn container(&self, unit: &str) -> String {
        format!("{}-{unit}", self.instance)
    }

    pub fn network(&self) -> &str {
        &self.instance
    }

    pub(crate) fn volume(&self, name: &str) -> String {
        format!("{}-{name}", self.instance)
    }

    /// Of networks and volumes, and the common part of a container's.
    pub fn labels(&self) -> BTreeMap<String, String> {
        [(ROOT, &self.root), (STATE, &self.state)].map(|(name, value)| (name.to_owned(), value.clone())).into()
    }

    /// The label by which everything of this environment is found.
    pub(crate) fn filter(&self) -> String {
        format!("{STATE}={}", self.state)
    }

    pub fn is_ours(&self, labels: &BTreeMap<String, String>) -> bool {
        labels.get(STATE) == Some(&self.state)
    }

    pub(crate) fn is_unit(&self, labels: &BTreeMap<String, String>, unit: &str) -> bool {
        self.is_ours(labels) && labels.get(UNIT).is_some_and(|name| name == unit)
    }
}
