//! Identifies the containers, networks and volumes of an environment: by labels, never by name alone.

use std::collections::BTreeMap;

use camino::Utf8Path;

use devenv_model::container::{Network, Volume};
use devenv_model::manifest::Service;
use devenv_runtime::LocalProject;
use devenv_supervisor::trust::own_user;

/// The folder of `devenv.toml`, shared by all environments of one checkout, including those of test runs.
pub const ROOT: &str = "devenv.root";
/// The state directory, which distinguishes the environments of one checkout.
pub const STATE: &str = "devenv.state";
/// The id of the user who made a container or a volume. Absent on networks, which an earlier version may have made without it.
pub const USER: &str = "devenv.user";
pub(crate) const UNIT: &str = "devenv.unit";
pub(crate) const CONFIG_HASH: &str = "devenv.config-hash";
/// The unit's probe, as JSON.
pub(crate) const PROBE: &str = "devenv.probe";
/// `true` if the container has a port, and so has to keep running.
pub(crate) const SERVES: &str = "devenv.serves";
/// `false` if the container loses its data on a stop; its outages are pauses then.
pub(crate) const KEEPS_DATA: &str = "devenv.keeps-data";
/// On a network or volume, a digest of its description, if it is not a plain one.
pub(crate) const DEFINITION: &str = "devenv.definition";
/// The label on images with the project's name from `devenv.toml`.
pub(crate) const SYSTEM: &str = "devenv.system";

/// The names and labels of one environment.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The environment's name: the network's name, and the prefix of every other name.
    pub instance: String,
    root: String,
    state: String,
    /// The names that the Compose file chose; `None` in an environment that runs beside the usual one.
    chosen: Option<BTreeMap<String, String>>,
}

impl Scope {
    pub(crate) fn of(project: &LocalProject) -> Self {
        let scope = Self::new(&project.instance.name, &project.instance.root, project.state.path());
        if project.instance.ephemeral {
            return scope;
        }
        let name = |service: &Service| service.container.identity.container_name.clone();
        let services = project.manifest.services.values();
        let chosen = services.filter_map(|service| Some((service.name.clone(), name(service)?))).collect();
        Self { chosen: Some(chosen), ..scope }
    }

    pub(crate) fn new(instance: &str, root: &Utf8Path, state: &Utf8Path) -> Self {
        Self { instance: instance.to_owned(), root: root.to_string(), state: state.to_string(), chosen: None }
    }

    /// Returns the scope of a part of the environment with its own folder and its own removal.
    pub fn of_part(project: &LocalProject, folder: &Utf8Path, name: &str) -> Self {
        Self::new(&format!("{}-{name}", project.instance.name), &project.instance.root, folder)
    }

    pub fn state(&self) -> &str {
        &self.state
    }

    pub fn container(&self, unit: &str) -> String {
        let chosen = self.chosen.as_ref().and_then(|chosen| chosen.get(unit));
        chosen.cloned().unwrap_or_else(|| format!("{}-{unit}", self.instance))
    }

    pub fn network(&self) -> &str {
        &self.instance
    }

    pub(crate) fn volume(&self, name: &str) -> String {
        format!("{}-{name}", self.instance)
    }

    /// Returns the engine's name of a volume of the Compose file, which never is one of devenv's own.
    pub(crate) fn volume_of(&self, volume: &Volume) -> String {
        self.named(&volume.key, volume.name.as_ref(), volume.external)
    }

    /// Returns the engine's name of a network of the Compose file.
    pub(crate) fn network_of(&self, network: &Network) -> String {
        if network.key.is_empty() {
            return self.network().to_owned();
        }
        self.named(&network.key, network.name.as_ref(), network.external)
    }

    fn named(&self, key: &str, chosen: Option<&String>, is_external: bool) -> String {
        match chosen {
            Some(chosen) if is_external || self.chosen.is_some() => chosen.clone(),
            None if is_external => key.to_owned(),
            _ => format!("{}_{key}", self.instance),
        }
    }

    /// Returns the labels of networks and volumes; containers have them too, besides others.
    pub fn labels(&self) -> BTreeMap<String, String> {
        [(ROOT, &self.root), (STATE, &self.state)].map(|(name, value)| (name.to_owned(), value.clone())).into()
    }

    /// Returns the labels of containers and volumes: those of networks, and the user.
    pub(crate) fn owned_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels();
        labels.insert(USER.to_owned(), own_user().to_string());
        labels
    }

    /// Returns the label filter for everything of this environment.
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
