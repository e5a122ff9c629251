//! The state of a container engine: its containers, images, networks and volumes, and what each request does to them.

use std::collections::{BTreeMap, BTreeSet};

use devenv_containers::engine::{
    ContainerState, ContainerSummary, Endpoint, HostError, HostErrorKind, Image, JoinedNetwork, Labelled, NewContainer,
    NewNetwork, NewVolume, Phase, RestartsWhen,
};
use devenv_containers::oci::OciImage;
use devenv_model::container::MountSource;
use devenv_model::intent::{Binding, RestartPolicy};
use devenv_model::names::short_digest;

/// As after SIGKILL and SIGTERM.
const KILLED: i64 = 137;
const TERMINATED: i64 = 143;

#[derive(Debug, Default)]
pub(crate) struct EngineState {
    pub(crate) containers: BTreeMap<String, Container>,
    pub(crate) images: Vec<StoredImage>,
    /// Names by id, with labels.
    networks: BTreeMap<String, (String, Labels)>,
    volumes: BTreeMap<String, Labels>,
    /// The archives that were unpacked in each container.
    pub(crate) uploads: BTreeMap<String, Vec<Vec<u8>>>,
    /// Images that a pull finds, by reference.
    pub(crate) offered: BTreeMap<String, OciImage>,
    /// Starts that still find their port taken by another program.
    pub(crate) taken_ports: usize,
    /// Counts process ids and networks.
    last: u32,
}

type Labels = BTreeMap<String, String>;

#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) new: NewContainer,
    /// The networks that it was connected to after its creation.
    pub(crate) more: Vec<Endpoint>,
    /// The id of its image.
    image: String,
    phase: Phase,
    pid: u32,
    error: String,
    restarts: u32,
    pub(crate) healthy: Option<bool>,
    pub(crate) log: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredImage {
    pub(crate) image: OciImage,
    /// Tags, and references by digest.
    pub(crate) names: BTreeSet<String>,
    pub(crate) labels: Labels,
    pub(crate) platform: String,
}

impl StoredImage {
    pub(crate) fn id(&self) -> String {
        self.image.config_digest()
    }

    pub(crate) fn described(&self) -> Image {
        let config = config_of(&self.image);
        let words = |key: &str| serde_json::from_value(config[key].clone()).unwrap_or_default();
        Image {
            id: self.id(),
            labels: self.labels.clone(),
            platform: self.platform.clone(),
            size: self.image.blobs().values().map(|blob| blob.len() as u64).sum(),
            entrypoint: words("Entrypoint"),
            command: words("Cmd"),
        }
    }
}

pub(crate) fn failed(action: &str, cause: impl Into<String>, kind: HostErrorKind) -> HostError {
    HostError { action: action.to_owned(), cause: cause.into(), kind }
}

/// The settings of an image's containers; null if a test's image has no configuration.
fn config_of(image: &OciImage) -> serde_json::Value {
    let blobs = image.blobs();
    let blob = blobs.get(&image.config_digest());
    let config: serde_json::Value = blob.and_then(|blob| serde_json::from_slice(blob).ok()).unwrap_or_default();
    config["config"].clone()
}

fn labels_of(image: &OciImage) -> BTreeMap<String, String> {
    serde_json::from_value(config_of(image)["Labels"].clone()).unwrap_or_default()
}

fn runs(phase: Phase) -> bool {
    matches!(phase, Phase::Running | Phase::Paused)
}

impl EngineState {
    pub(crate) fn list(&self) -> Vec<ContainerSummary> {
        let summary = |container: &Container| {
            let bindings = container.new.spec.ports.iter().map(|port| Binding {
                container: port.container,
                protocol: port.protocol,
                host: (port.host_ip, port.host).into(),
            });
            let mut labels = container.new.spec.labels.clone();
            labels.extend(container.new.labels.clone());
            ContainerSummary {
                name: container.new.name.clone(),
                image: container.image.clone(),
                labels,
                bindings: bindings.collect(),
                networks: self.networks_of(container),
                runs: runs(container.phase),
            }
        };
        self.containers.values().map(summary).collect()
    }

    fn networks_of(&self, container: &Container) -> Vec<String> {
        let first = match &container.new.network {
            JoinedNetwork::Own(endpoint) => Some(endpoint.as_ref()),
            JoinedNetwork::Of(_) | JoinedNetwork::None => None,
        };
        let joined = first.into_iter().chain(&container.more);
        joined.filter_map(|endpoint| self.networks.get(&endpoint.network)).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn state(&self, name: &str) -> Option<ContainerState> {
        self.containers.get(name).map(|container| ContainerState {
            phase: container.phase,
            pid: container.pid,
            started: u64::from(container.pid),
            restarts: container.restarts,
            restarts_when: match container.new.spec.restart {
                RestartPolicy::No => RestartsWhen::Never,
                RestartPolicy::OnFailure { .. } => RestartsWhen::Failed,
                RestartPolicy::UnlessStopped | RestartPolicy::Always => RestartsWhen::Ended,
            },
            labels: container.new.labels.clone(),
            healthy: container.healthy.filter(|_| container.new.spec.healthcheck.is_some()),
            error: container.error.clone(),
        })
    }

    pub(crate) fn create(&mut self, new: &NewContainer) -> Result<(), HostError> {
        let action = format!("create the container {}", new.name);
        if self.containers.contains_key(&new.name) {
            return Err(failed(&action, "the name is in use", HostErrorKind::Conflict));
        }
        let absent = || failed(&action, format!("no such image: {}", new.spec.image), HostErrorKind::NotFound);
        let image = self.image(&new.spec.image).ok_or_else(absent)?.id();
        if let JoinedNetwork::Own(endpoint) = &new.network {
            self.existing_network(&action, &endpoint.network)?;
        }
        for name in volumes_of(new) {
            self.volumes.entry(name).or_default();
        }
        let container = Container {
            new: new.clone(),
            more: Vec::new(),
            image,
            phase: Phase::Created,
            pid: 0,
            error: String::new(),
            restarts: 0,
            healthy: Some(true),
            log: Vec::new(),
        };
        self.containers.insert(new.name.clone(), container);
        Ok(())
    }

    /// An id, or the name of a network.
    fn existing_network(&self, action: &str, network: &str) -> Result<(), HostError> {
        if self.networks.iter().any(|(id, (name, _))| id == network || name == network) {
            return Ok(());
        }
        Err(failed(action, format!("network {network} not found"), HostErrorKind::NotFound))
    }

    pub(crate) fn connect(&mut self, name: &str, endpoint: &Endpoint) -> Result<(), HostError> {
        let action = format!("connect the container {name}");
        self.existing_network(&action, &endpoint.network)?;
        self.existing(&action, name)?.more.push(endpoint.clone());
        Ok(())
    }

    pub(crate) fn upload(&mut self, name: &str, folder: &str, archive: &[u8]) -> Result<(), HostError> {
        let action = format!("copy files into the container {name}");
        let settings = &self.existing(&action, name)?.new.spec.settings;
        let is_volume =
            |source: &MountSource| matches!(source, MountSource::Volume { .. } | MountSource::Anonymous { .. });
        let mut volumes = settings.mounts.iter().filter(|mount| is_volume(&mount.source) && !mount.read_only);
        if settings.security.read_only && !volumes.any(|mount| mount.target == folder) {
            return Err(failed(&action, "container rootfs is marked read-only", HostErrorKind::Other));
        }
        self.uploads.entry(name.to_owned()).or_default().push(archive.to_vec());
        Ok(())
    }

    pub(crate) fn rename(&mut self, name: &str, new: &str) -> Result<(), HostError> {
        let action = format!("rename the container {name}");
        self.existing(&action, name)?;
        if self.containers.contains_key(new) {
            return Err(failed(&action, "the name is in use", HostErrorKind::Conflict));
        }
        let mut container = self.containers.remove(name).expect("it exists");
        new.clone_into(&mut container.new.name);
        self.containers.insert(new.to_owned(), container);
        if let Some(uploads) = self.uploads.remove(name) {
            self.uploads.insert(new.to_owned(), uploads);
        }
        Ok(())
    }

    /// Returns the container if it did not run before.
    pub(crate) fn start(&mut self, name: &str) -> Result<Option<NewContainer>, HostError> {
        let action = format!("start the container {name}");
        let new = self.existing(&action, name)?.new.clone();
        if runs(self.containers[name].phase) {
            return Ok(None);
        }
        if let Err(error) = self.can_start(&action, &new) {
            self.existing(&action, name)?.error.clone_from(&error.cause);
            return Err(error);
        }
        self.last += 1;
        let pid = self.last;
        let container = self.existing(&action, name)?;
        (container.phase, container.pid, container.error) = (Phase::Running, pid, String::new());
        Ok(Some(new))
    }

    fn can_start(&mut self, action: &str, new: &NewContainer) -> Result<(), HostError> {
        if let JoinedNetwork::Of(other) = &new.network
            && !self.containers.get(other).is_some_and(|other| runs(other.phase))
        {
            let cause = format!("cannot join the network of {other}, which does not run");
            return Err(failed(action, cause, HostErrorKind::Other));
        }
        let others = self.containers.values().filter(|other| runs(other.phase) && other.new.name != new.name);
        let of_others = others.flat_map(|other| &other.new.spec.ports);
        let taken: BTreeSet<_> = of_others.map(|port| (port.host, port.protocol)).collect();
        let Some(port) = new.spec.ports.first() else { return Ok(()) };
        let is_taken = new.spec.ports.iter().any(|port| taken.contains(&(port.host, port.protocol)));
        if is_taken || self.taken_ports > 0 {
            self.taken_ports = self.taken_ports.saturating_sub(1);
            let cause = format!("port {} is already allocated", port.host);
            return Err(failed(action, cause, HostErrorKind::PortTaken));
        }
        Ok(())
    }

    pub(crate) fn stop(&mut self, name: &str) {
        if self.containers.get(name).is_some_and(|container| runs(container.phase)) {
            self.end(name, TERMINATED);
        }
    }

    pub(crate) fn kill(&mut self, name: &str) -> Result<(), HostError> {
        let action = format!("kill the container {name}");
        if !runs(self.existing(&action, name)?.phase) {
            return Err(failed(&action, "it does not run", HostErrorKind::Conflict));
        }
        self.end(name, KILLED);
        Ok(())
    }

    pub(crate) fn end(&mut self, name: &str, exit_code: i64) {
        if let Some(container) = self.containers.get_mut(name) {
            (container.phase, container.pid) = (Phase::Exited { exit_code, out_of_memory: false }, 0);
        }
    }

    /// From one phase to another, which fails in any other phase.
    pub(crate) fn turn(&mut self, verb: &str, name: &str, from: Phase, to: Phase) -> Result<(), HostError> {
        let action = format!("{verb} the container {name}");
        let container = self.existing(&action, name)?;
        if container.phase != from {
            return Err(failed(&action, format!("it is {:?}", container.phase), HostErrorKind::Conflict));
        }
        container.phase = to;
        Ok(())
    }

    fn existing(&mut self, action: &str, name: &str) -> Result<&mut Container, HostError> {
        let absent = || failed(action, format!("no such container: {name}"), HostErrorKind::NotFound);
        self.containers.get_mut(name).ok_or_else(absent)
    }

    pub(crate) fn image(&self, reference: &str) -> Option<&StoredImage> {
        self.images.iter().find(|image| image.names.contains(reference) || image.id() == reference)
    }

    /// Gives an image this name, which another image then lacks; without one, the image is only stored.
    pub(crate) fn store(&mut self, image: &OciImage, platform: &str, name: Option<&str>) {
        let id = image.config_digest();
        if let Some(name) = name {
            for other in &mut self.images {
                other.names.remove(name);
            }
        }
        if !self.images.iter().any(|other| other.id() == id) {
            let (names, labels) = (BTreeSet::new(), labels_of(image));
            self.images.push(StoredImage { image: image.clone(), names, labels, platform: platform.to_owned() });
        }
        let stored = self.images.iter_mut().find(|stored| stored.id() == id).expect("it is stored");
        stored.names.extend(name.map(str::to_owned));
    }

    /// Removes one name of several; else the image, unless a container was made from it.
    pub(crate) fn remove_image(&mut self, reference: &str) -> Result<(), HostError> {
        let action = format!("remove the image {reference}");
        let absent = || failed(&action, "no such image", HostErrorKind::NotFound);
        let found = self.image(reference).ok_or_else(absent)?;
        let (id, is_last) = (found.id(), found.names.len() < 2);
        if is_last && self.containers.values().any(|container| container.image == id) {
            return Err(failed(&action, "a container uses it", HostErrorKind::Conflict));
        }
        if is_last {
            self.images.retain(|image| image.id() != id);
        } else if !self.images.iter_mut().any(|image| image.names.remove(reference)) {
            return Err(failed(&action, "it has several names", HostErrorKind::Conflict));
        }
        Ok(())
    }

    pub(crate) fn create_network(&mut self, new: &NewNetwork) -> String {
        self.last += 1;
        let id = short_digest(format!("{} {}", new.name, self.last).as_bytes(), 8);
        self.networks.insert(id.clone(), (new.name.clone(), new.labels.clone()));
        id
    }

    pub(crate) fn network(&self, name: &str) -> Option<Labelled> {
        let (id, (_, labels)) = self.networks.iter().find(|(_, (there, _))| there == name)?;
        Some(Labelled { id: id.clone(), labels: labels.clone() })
    }

    pub(crate) fn networks(&self, label: &str) -> Vec<Labelled> {
        labelled(self.networks.iter().map(|(id, (_, labels))| (id, labels)), label)
    }

    /// Fails while a container has its address on it.
    pub(crate) fn remove_network(&mut self, id: &str) -> Result<(), HostError> {
        let Some((name, _)) = self.networks.get(id) else { return Ok(()) };
        if self.containers.values().any(|container| runs(container.phase) && self.networks_of(container).contains(name))
        {
            return Err(failed(&format!("remove the network {id}"), "a container uses it", HostErrorKind::Conflict));
        }
        self.networks.remove(id);
        Ok(())
    }

    /// Keeps an existing volume, as an engine does.
    pub(crate) fn create_volume(&mut self, new: &NewVolume) {
        self.volumes.entry(new.name.clone()).or_insert_with(|| new.labels.clone());
    }

    pub(crate) fn volume(&self, name: &str) -> Option<Labelled> {
        let labels = self.volumes.get(name)?;
        Some(Labelled { id: name.to_owned(), labels: labels.clone() })
    }

    pub(crate) fn volumes(&self, label: &str) -> Vec<Labelled> {
        labelled(self.volumes.iter(), label)
    }

    pub(crate) fn remove_volume(&mut self, name: &str) -> Result<(), HostError> {
        if self.containers.values().any(|container| volumes_of(&container.new).any(|volume| volume == name)) {
            return Err(failed(&format!("remove the volume {name}"), "a container uses it", HostErrorKind::Conflict));
        }
        self.volumes.remove(name);
        Ok(())
    }
}

/// The names of a container's volumes.
fn volumes_of(new: &NewContainer) -> impl Iterator<Item = String> {
    new.spec.settings.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Volume { volume, .. } => volume.name.clone(),
        _ => None,
    })
}

/// Those with a label, given as `name=value` or as the name alone.
fn labelled<'a>(all: impl Iterator<Item = (&'a String, &'a Labels)>, label: &str) -> Vec<Labelled> {
    all.filter(|(_, labels)| has(labels, label))
        .map(|(id, labels)| Labelled { id: id.clone(), labels: labels.clone() })
        .collect()
}

pub(crate) fn has(labels: &Labels, label: &str) -> bool {
    match label.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|found| found == value),
        None => labels.contains_key(label),
    }
}
