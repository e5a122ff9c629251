//! The making of a container: its networks, its volumes, and what is put into it before it starts.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::container::{ContainerSettings, MountSource, Network, NetworkMode, Volume};
use devenv_model::intent::UnitIntent;
use devenv_model::names::short_digest;
use devenv_model::unit::is_own;
use devenv_runtime::Error;

use crate::container::ContainerSpec;
use crate::engine::{
    ContainerSummary, Endpoint, HostError, HostErrorKind, JoinedNetwork, Labelled, NewContainer, NewNetwork, NewVolume,
};
use crate::own_image::{OwnImage, Portable};
use crate::runtime::ContainerRuntime;
use crate::scope::{CONFIG_HASH, DEFINITION, KEEPS_DATA, PROBE, SERVES, UNIT};
use crate::spec::of_services;
use crate::{files, init};

const DIGEST_BYTES: usize = 12;

impl ContainerRuntime {
    /// Creates a unit's container. Only the last step gives it its name, so that a container without one of its parts never starts.
    pub(crate) async fn create(&self, intent: &UnitIntent, spec: ContainerSpec) -> Result<(), Error> {
        let archive = files::archive(&spec.name, &spec.settings.files)?;
        files::keep(&spec.name, &intent.container, &self.kept_files())?;
        make_folders(&spec.settings)?;
        for mount in &spec.settings.mounts {
            if let MountSource::Volume { volume, .. } = &mount.source {
                self.ensure_volume(&spec.name, volume).await?;
            }
        }
        let (network, more) = self.joined(&spec).await?;
        let last_name = self.scope.container(&spec.name);
        let is_whole = more.is_empty() && archive.is_none() && spec.init.is_none();
        let name = if is_whole { last_name.clone() } else { format!("{last_name}.unfinished") };
        let labels = self.container_labels(&spec);
        // Not before: what starts the program is no part of its configuration.
        let (spec, init) = self.with_init(spec).await?;
        self.engine.create(&NewContainer { name: name.clone(), spec, labels, network }).await?;
        if is_whole {
            return Ok(());
        }
        for endpoint in &more {
            self.engine.connect(&name, endpoint).await?;
        }
        if let Some(archive) = archive {
            self.engine.upload(&name, "/", archive).await?;
        }
        if let Some(files) = init {
            self.engine.upload(&name, init::FOLDER, files).await?;
        }
        Ok(self.engine.rename(&name, &last_name).await?)
    }

    /// The specification of a container with its init, if it has one, and an archive of the init's files.
    async fn with_init(&self, mut spec: ContainerSpec) -> Result<(ContainerSpec, Option<Vec<u8>>), Error> {
        if spec.init.is_none() {
            return Ok((spec, None));
        }
        let images = self.made_here();
        let Portable { archive, command } = OwnImage::function_host(&images)?.portable(init::FOLDER)?;
        let Some(image) = self.engine.image(&spec.image).await? else {
            return Err(Error::ImageAbsent { image: spec.image, cause: "the engine does not have it".to_owned() });
        };
        init::put_before(&mut spec, command, &image)?;
        Ok((spec, Some(archive)))
    }

    /// Whether a container of a unit has all its parts, and the name that the unit has now.
    pub(crate) fn is_whole(&self, unit: &str, container: &ContainerSummary) -> bool {
        container.name == self.scope.container(unit)
    }

    /// The folder of the files that an engine cannot copy into a container.
    pub(crate) fn kept_files(&self) -> Utf8PathBuf {
        self.project.state.path().join("files")
    }

    fn container_labels(&self, spec: &ContainerSpec) -> BTreeMap<String, String> {
        let mut labels = self.scope.owned_labels();
        let has_volume = spec.settings.mounts.iter().any(devenv_model::container::Mount::is_volume);
        labels.insert(UNIT.to_owned(), spec.name.clone());
        labels.insert(CONFIG_HASH.to_owned(), spec.config_hash());
        labels.insert(PROBE.to_owned(), serde_json::to_string(&spec.probe).expect("a probe is plain data"));
        labels.insert(SERVES.to_owned(), self.serves(&spec.name).to_string());
        labels.insert(KEEPS_DATA.to_owned(), (!is_own(&spec.name) || has_volume).to_string());
        labels
    }

    /// Whether the service of a unit has a port.
    fn serves(&self, unit: &str) -> bool {
        let mut services = self.project.manifest.services.values();
        services
            .find(|service| service.units().any(|name| name == unit))
            .is_some_and(|service| !service.ports.is_empty() || !service.expose.is_empty())
    }

    async fn ensure_volume(&self, unit: &str, volume: &Volume) -> Result<(), Error> {
        let name = volume.name.clone().unwrap_or_default();
        let action = || format!("give {unit} the volume {name}");
        let mut labels = self.scope.owned_labels();
        if !volume.driver_options.is_empty() {
            labels.insert(DEFINITION.to_owned(), digest(&volume.driver_options));
        }
        let cause = match self.engine.volume(&name).await? {
            Some(_) if volume.external => return Ok(()),
            None if volume.external => {
                format!("there is none, and the Compose file marks it as external; docker volume create {name}")
            }
            None => {
                labels.extend(theirs(&volume.labels));
                let new = NewVolume { name, driver_options: volume.driver_options.clone(), labels };
                return Ok(self.engine.create_volume(&new).await?);
            }
            Some(there) if !self.scope.is_ours(&there.labels) => {
                "it exists, but this environment did not create it; mark it `external: true`, or give it another `name`"
                    .to_owned()
            }
            Some(there) if there.labels.get(DEFINITION) != labels.get(DEFINITION) => {
                "its `driver_opts` have changed; devenv down --volumes removes it with its data".to_owned()
            }
            Some(_) => return Ok(()),
        };
        Err(HostError { action: action(), cause, kind: HostErrorKind::Other }.into())
    }

    /// The network on which a container is created, and those that it is connected to before its start.
    async fn joined(&self, spec: &ContainerSpec) -> Result<(JoinedNetwork, Vec<Endpoint>), Error> {
        let attachments = match &spec.settings.networking.mode {
            NetworkMode::None => return Ok((JoinedNetwork::None, Vec::new())),
            NetworkMode::Service(container) => return Ok((JoinedNetwork::Of(container.clone()), Vec::new())),
            NetworkMode::Joined(attachments) => attachments,
        };
        let ours = self.networks.get_or_try_init(|| self.ensure_networks()).await?;
        let mut endpoints = Vec::new();
        for attachment in attachments {
            let name = attachment.network.name.clone().unwrap_or_default();
            let network = if attachment.network.external {
                self.external(&spec.name, &name).await?.id
            } else {
                ours.get(&name).cloned().unwrap_or(name)
            };
            endpoints.push(Endpoint { network, unit: spec.name.clone(), attachment: attachment.clone() });
        }
        let mut endpoints = endpoints.into_iter();
        let first = endpoints.next().map(Box::new).map_or(JoinedNetwork::None, JoinedNetwork::Own);
        Ok((first, endpoints.collect()))
    }

    async fn external(&self, unit: &str, name: &str) -> Result<Labelled, Error> {
        let found = self.engine.network(name).await?;
        found.ok_or_else(|| {
            let action = format!("connect {unit} to the network {name}");
            let cause =
                format!("there is none, and the Compose file marks it as external; docker network create {name}");
            HostError { action, cause, kind: HostErrorKind::Other }.into()
        })
    }

    /// Creates the environment's networks, as far as they are absent. Returns their ids by name.
    async fn ensure_networks(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut ids = BTreeMap::new();
        let described = of_services(&self.project.manifest.services);
        let networks = described.into_iter().map(|attachment| attachment.network);
        for network in [Network::default()].into_iter().chain(networks) {
            let name = self.scope.network_of(&network);
            let id = self.ensure_network(&name, network).await?;
            ids.insert(name, id);
        }
        Ok(ids)
    }

    async fn ensure_network(&self, name: &str, network: Network) -> Result<String, Error> {
        let mut labels = self.scope.labels();
        if !network.is_plain() {
            labels.insert(DEFINITION.to_owned(), digest(&network));
        }
        if let Some(there) = self.engine.network(name).await? {
            if !self.scope.is_ours(&there.labels) {
                let action = format!("create the network {name}");
                let cause = "it exists, but this environment did not create it; mark it `external: true`, or give it \
                             another `name`";
                return Err(HostError { action, cause: cause.to_owned(), kind: HostErrorKind::Other }.into());
            }
            if there.labels.get(DEFINITION) == labels.get(DEFINITION) {
                return Ok(there.id);
            }
            // A network cannot change. The containers on it are replaced anyway: it is a part of their specifications.
            for container in self.engine.containers().await? {
                if self.scope.is_ours(&container.labels) && container.networks.iter().any(|joined| joined == name) {
                    self.end(&container.name).await?;
                }
            }
            self.engine.remove_network(&there.id).await?;
        }
        labels.extend(theirs(&network.labels));
        Ok(self.engine.create_network(&NewNetwork { name: name.to_owned(), network, labels }).await?)
    }
}

/// The labels of the Compose file, as far as they are none of devenv's.
fn theirs(labels: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    labels.clone().into_iter().filter(|(name, _)| !name.starts_with("devenv."))
}

fn digest(described: &impl serde::Serialize) -> String {
    short_digest(serde_json::to_vec(described).expect("plain data"), DIGEST_BYTES)
}

/// Makes the absent folders of this machine that the Compose file wants made. An engine would make them as root.
fn make_folders(settings: &ContainerSettings) -> Result<(), Error> {
    for mount in &settings.mounts {
        if let MountSource::Bind(bind) = &mount.source
            && bind.create
            && !Utf8Path::new(&bind.path).exists()
        {
            let failed = |source| Error::State { path: bind.path.clone().into(), source };
            std::fs::create_dir_all(&bind.path).map_err(failed)?;
        }
    }
    Ok(())
}
