//! Implements the engine's trait, with a request or two per method.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use bollard::models::{
    BuildInfo, ContainerCreateBody, ContainerStateStatusEnum, ContainerSummaryStateEnum, HealthStatusEnum,
    NetworkConnectRequest, PortSummary, PortSummaryTypeEnum, RestartPolicyNameEnum, VolumeCreateRequest,
};
use bollard::query_parameters::{
    BuildImageOptions, CreateContainerOptions, CreateImageOptions, DownloadFromContainerOptions, ImportImageOptions,
    InspectContainerOptions, KillContainerOptions, ListContainersOptions, ListImagesOptions, ListNetworksOptions,
    ListVolumesOptions, LogsOptions, RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions,
    RenameContainerOptions, StartContainerOptions, StopContainerOptions, TagImageOptions, UploadToContainerOptions,
};
use bollard::{Docker, body_full, body_try_stream};
use devenv_containers::engine::{
    BuildOrder, ContainerEngine, ContainerState, ContainerSummary, ContextStream, Endpoint, EngineAbout, ExecSession,
    ExecState, HostError, HostErrorKind, Image, Labelled, LogLine, LogQuery, NewContainer, NewNetwork, NewVolume,
    Phase, RestartsWhen, TerminalSize,
};
use devenv_model::exec::ExecOrder;
use devenv_model::intent::Binding;
use devenv_model::transport::Protocol;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::container::body;
use crate::error::{failed, is_absent, is_unchanged};
use crate::network::{endpoint, request};
use crate::{exec, stats};

/// The size limit of a saved image in bytes: devenv keeps the whole image in memory.
const LARGEST_IMAGE: usize = 2 << 30;

#[derive(Debug)]
pub(crate) struct Engine {
    client: Docker,
    about: EngineAbout,
}

impl Engine {
    pub(crate) fn new(client: Docker, about: EngineAbout) -> Self {
        Self { client, about }
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, HostError>>;

impl ContainerEngine for Engine {
    fn about(&self) -> &EngineAbout {
        &self.about
    }

    fn containers(&self) -> Answer<'_, Vec<ContainerSummary>> {
        async move {
            let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
            let listed = self.client.list_containers(Some(options)).await.map_err(failed("list the containers"))?;
            Ok(listed.into_iter().map(summary).collect())
        }
        .boxed()
    }

    fn inspect<'a>(&'a self, container: &'a str) -> Answer<'a, Option<ContainerState>> {
        async move {
            let answer = self.client.inspect_container(container, None::<InspectContainerOptions>).await;
            match answer {
                Ok(inspected) => {
                    let restarts = inspected.restart_count.and_then(|count| u32::try_from(count).ok());
                    let policy = inspected.host_config.and_then(|host| host.restart_policy?.name);
                    let restarts_when = match policy {
                        None | Some(RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO) => RestartsWhen::Never,
                        Some(RestartPolicyNameEnum::ON_FAILURE) => RestartsWhen::Failed,
                        Some(RestartPolicyNameEnum::ALWAYS | RestartPolicyNameEnum::UNLESS_STOPPED) => {
                            RestartsWhen::Ended
                        }
                    };
                    let labels = inspected.config.and_then(|config| config.labels).unwrap_or_default();
                    let seen = state(inspected.state.unwrap_or_default(), restarts.unwrap_or_default());
                    Ok(Some(ContainerState { restarts_when, labels: labels.into_iter().collect(), ..seen }))
                }
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) => Err(failed(format!("inspect the container {container}"))(error)),
            }
        }
        .boxed()
    }

    fn create<'a>(&'a self, new: &'a NewContainer) -> Answer<'a, ()> {
        async move {
            let platform = new.spec.settings.execution.platform.clone().unwrap_or_default();
            let options = CreateContainerOptions { name: Some(new.name.clone()), platform };
            let created = self.client.create_container(Some(options), body(new)).await;
            created.map(drop).map_err(failed(format!("create the container {}", new.name)))
        }
        .boxed()
    }

    fn connect<'a>(&'a self, container: &'a str, joined: &'a Endpoint) -> Answer<'a, ()> {
        async move {
            let (container, endpoint_config) = (container.to_owned(), Some(endpoint(joined)));
            let action = format!("connect the container {container} to the network {}", joined.network);
            let request = NetworkConnectRequest { container, endpoint_config };
            self.client.connect_network(&joined.network, request).await.map_err(failed(action))
        }
        .boxed()
    }

    fn upload<'a>(&'a self, container: &'a str, folder: &'a str, archive: Vec<u8>) -> Answer<'a, ()> {
        async move {
            let options = UploadToContainerOptions { path: folder.to_owned(), ..UploadToContainerOptions::default() };
            let sent = self.client.upload_to_container(container, Some(options), body_full(archive.into())).await;
            sent.map_err(failed(format!("copy files into the container {container}")))
        }
        .boxed()
    }

    fn rename<'a>(&'a self, container: &'a str, name: &'a str) -> Answer<'a, ()> {
        async move {
            let options = RenameContainerOptions { name: name.to_owned() };
            let renamed = self.client.rename_container(container, options).await;
            renamed.map_err(failed(format!("rename the container {container} to {name}")))
        }
        .boxed()
    }

    fn start<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        let action = format!("start the container {container}");
        async move { unless_so(self.client.start_container(container, None::<StartContainerOptions>).await, action) }
            .boxed()
    }

    fn stop<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        let action = format!("stop the container {container}");
        async move { unless_gone(self.client.stop_container(container, None::<StopContainerOptions>).await, action) }
            .boxed()
    }

    fn kill<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        async move {
            let options = KillContainerOptions { signal: "SIGKILL".to_owned() };
            let killed = self.client.kill_container(container, Some(options)).await;
            killed.map_err(failed(format!("kill the container {container}")))
        }
        .boxed()
    }

    fn pause<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        async move {
            let paused = self.client.pause_container(container).await;
            paused.map_err(failed(format!("pause the container {container}")))
        }
        .boxed()
    }

    fn unpause<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        async move {
            let resumed = self.client.unpause_container(container).await;
            resumed.map_err(failed(format!("resume the container {container}")))
        }
        .boxed()
    }

    fn remove<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        let action = format!("remove the container {container}");
        async move {
            let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
            unless_gone(self.client.remove_container(container, Some(options)).await, action)
        }
        .boxed()
    }

    fn log(&self, container: &str, query: &LogQuery) -> BoxStream<'static, Result<LogLine, HostError>> {
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            timestamps: true,
            follow: query.follow,
            since: query.since.and_then(|since| i32::try_from(since).ok()).unwrap_or_default(),
            tail: query.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string()),
            ..LogsOptions::default()
        };
        let action = format!("read the log of the container {container}");
        // The stream outlives this call.
        let client = self.client.clone();
        let lines = client.logs(container, Some(options));
        lines.map(move |part| part.map(|part| line(&part.into_bytes())).map_err(failed(action.clone()))).boxed()
    }

    fn memory<'a>(&'a self, container: &'a str) -> Answer<'a, Option<u64>> {
        stats::memory(&self.client, container).boxed()
    }

    fn exec<'a>(&'a self, container: &'a str, order: &'a ExecOrder) -> Answer<'a, ExecSession> {
        exec::start(&self.client, container, order).boxed()
    }

    fn resize_exec<'a>(&'a self, id: &'a str, size: TerminalSize) -> Answer<'a, ()> {
        exec::resize(&self.client, id, size).boxed()
    }

    fn inspect_exec<'a>(&'a self, id: &'a str) -> Answer<'a, ExecState> {
        exec::inspect(&self.client, id).boxed()
    }

    fn image<'a>(&'a self, reference: &'a str) -> Answer<'a, Option<Image>> {
        async move {
            match self.client.inspect_image(reference).await {
                Ok(image) => {
                    let config = image.config.unwrap_or_default();
                    Ok(Some(Image {
                        id: image.id.unwrap_or_default(),
                        labels: config.labels.unwrap_or_default().into_iter().collect(),
                        platform: format!(
                            "{}/{}",
                            image.os.unwrap_or_default(),
                            image.architecture.unwrap_or_default()
                        ),
                        size: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                        entrypoint: config.entrypoint.unwrap_or_default(),
                        command: config.cmd.unwrap_or_default(),
                    }))
                }
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) => Err(failed(format!("inspect the image {reference}"))(error)),
            }
        }
        .boxed()
    }

    fn load(&self, archive: Vec<u8>) -> Answer<'_, ()> {
        async move {
            let told = self.client.import_image(ImportImageOptions::default(), body_full(archive.into()), None);
            finished(told, "load an image", &|_| ()).await
        }
        .boxed()
    }

    fn tag<'a>(&'a self, image: &'a str, reference: &'a str) -> Answer<'a, ()> {
        async move {
            let (repository, tag) = split(reference);
            let options = TagImageOptions { repo: Some(repository.to_owned()), tag: tag.map(str::to_owned) };
            let tagged = self.client.tag_image(image, Some(options)).await;
            tagged.map_err(failed(format!("tag an image as {reference}")))
        }
        .boxed()
    }

    fn pull<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> Answer<'a, ()> {
        async move {
            let (repository, tag) = split(reference);
            let options = CreateImageOptions {
                from_image: Some(repository.to_owned()),
                tag: tag.map(str::to_owned),
                platform: platform.unwrap_or_default().to_owned(),
                ..CreateImageOptions::default()
            };
            let mut told = self.client.create_image(Some(options), None, None);
            let mut last = String::new();
            while let Some(info) = told.next().await {
                let info = info.map_err(failed(format!("pull {reference}")))?;
                let status = info.status.unwrap_or_default();
                // Report each stage once, not each kilobyte.
                if !status.is_empty() && status != last {
                    progress(format!("{} {status}", info.id.unwrap_or_default()).trim().to_owned());
                    last = status;
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn save<'a>(&'a self, image: &'a str) -> Answer<'a, Vec<u8>> {
        async move {
            let action = format!("read the image {image}");
            let mut archive = Vec::new();
            let mut parts = self.client.export_image(image);
            while let Some(part) = parts.next().await {
                let part = part.map_err(failed(action.clone()))?;
                if archive.len() + part.len() > LARGEST_IMAGE {
                    let cause = format!("it exceeds {} MiB, the limit for an image in memory", LARGEST_IMAGE >> 20);
                    return Err(HostError { action, cause, kind: HostErrorKind::Other });
                }
                archive.extend_from_slice(&part);
            }
            Ok(archive)
        }
        .boxed()
    }

    fn unnamed_images<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let wanted = [("dangling", "true"), ("label", label)];
            let filters = wanted.map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).into();
            let options = ListImagesOptions { filters: Some(filters), ..ListImagesOptions::default() };
            let images = self.client.list_images(Some(options)).await.map_err(failed("list the images"))?;
            Ok(images.into_iter().map(|image| image.id).collect())
        }
        .boxed()
    }

    fn image_names<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let options = ListImagesOptions { digests: true, ..ListImagesOptions::default() };
            let images = self.client.list_images(Some(options)).await.map_err(failed("list the images"))?;
            let names = images.into_iter().flat_map(|image| [image.repo_tags, image.repo_digests].concat());
            Ok(names.filter(|name| name.starts_with(prefix)).collect())
        }
        .boxed()
    }

    fn remove_image<'a>(&'a self, image: &'a str) -> Answer<'a, ()> {
        async move {
            let removed = self.client.remove_image(image, None::<RemoveImageOptions>, None).await;
            removed.map(drop).map_err(failed(format!("remove the image {image}")))
        }
        .boxed()
    }

    fn build<'a>(
        &'a self,
        order: &'a BuildOrder,
        context: ContextStream,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> Answer<'a, String> {
        async move {
            let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
            let options = BuildImageOptions {
                dockerfile: order.dockerfile.clone(),
                t: Some(order.tag.clone()),
                buildargs: Some(order.arguments.clone().into_iter().collect()),
                platform: order.platform.clone().unwrap_or_default(),
                target: order.target.clone().unwrap_or_default(),
                labels: Some(order.labels.clone().into_iter().collect()),
                cachefrom: some(&order.cache_from),
                networkmode: order.network.clone(),
                extrahosts: order.extra_host.clone(),
                shmsize: order.shm_size.and_then(|size| i32::try_from(size).ok()),
                nocache: order.no_cache,
                pull: order.pull.then(|| "true".to_owned()),
                rm: true,
                forcerm: true,
                ..BuildImageOptions::default()
            };
            let told = self.client.build_image(options, None, Some(body_try_stream(context)));
            let built = Mutex::new(order.tag.clone());
            let listen = |line: String| {
                if let Some(id) = line.strip_prefix("Successfully built ") {
                    id.clone_into(&mut built.lock().unwrap_or_else(PoisonError::into_inner));
                }
                progress(line);
            };
            finished(told, &format!("build {}", order.tag), &listen).await?;
            Ok(built.into_inner().unwrap_or_else(PoisonError::into_inner))
        }
        .boxed()
    }

    fn files<'a>(&'a self, image: &'a str) -> Answer<'a, Vec<u8>> {
        async move {
            let action = format!("read the files of {image}");
            // The container never starts, but an engine requires a command.
            let body = ContainerCreateBody {
                image: Some(image.to_owned()),
                cmd: Some(vec!["/none".to_owned()]),
                ..ContainerCreateBody::default()
            };
            let made = self.client.create_container(None::<CreateContainerOptions>, body).await;
            let container = made.map_err(failed(action.clone()))?.id;
            let options = DownloadFromContainerOptions { path: "/".to_owned() };
            let parts: Result<Vec<_>, _> =
                self.client.download_from_container(&container, Some(options)).try_collect().await;
            self.remove(&container).await?;
            Ok(parts.map_err(failed(action))?.concat())
        }
        .boxed()
    }

    fn create_network<'a>(&'a self, new: &'a NewNetwork) -> Answer<'a, String> {
        async move {
            let made = self.client.create_network(request(new)).await;
            made.map(|made| made.id).map_err(failed(format!("create the network {}", new.name)))
        }
        .boxed()
    }

    fn network<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Labelled>> {
        async move {
            let filters = [("name".to_owned(), vec![name.to_owned()])].into();
            let options = ListNetworksOptions { filters: Some(filters) };
            let listed = self.client.list_networks(Some(options)).await.map_err(failed("list the networks"))?;
            // The filter also matches parts of names.
            let found = listed.into_iter().find(|network| network.name.as_deref() == Some(name));
            Ok(found.map(|network| Labelled {
                id: network.id.unwrap_or_else(|| name.to_owned()),
                labels: sorted(network.labels),
            }))
        }
        .boxed()
    }

    fn networks<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<Labelled>> {
        async move {
            let options = ListNetworksOptions { filters: Some(by_label(label)) };
            let listed = self.client.list_networks(Some(options)).await.map_err(failed("list the networks"))?;
            Ok(listed
                .into_iter()
                .filter_map(|network| Some(Labelled { id: network.id?, labels: sorted(network.labels) }))
                .collect())
        }
        .boxed()
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        let action = format!("remove the network {id}");
        async move { unless_gone(self.client.remove_network(id).await, action) }.boxed()
    }

    fn create_volume<'a>(&'a self, new: &'a NewVolume) -> Answer<'a, ()> {
        async move {
            let request = VolumeCreateRequest {
                name: Some(new.name.clone()),
                driver: Some("local".to_owned()),
                driver_opts: Some(new.driver_options.clone().into_iter().collect()),
                labels: Some(new.labels.clone().into_iter().collect()),
                ..VolumeCreateRequest::default()
            };
            let made = self.client.create_volume(request).await;
            made.map(drop).map_err(failed(format!("create the volume {}", new.name)))
        }
        .boxed()
    }

    fn volume<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Labelled>> {
        async move {
            match self.client.inspect_volume(name).await {
                Ok(volume) => Ok(Some(Labelled { id: volume.name, labels: volume.labels.into_iter().collect() })),
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) => Err(failed(format!("inspect the volume {name}"))(error)),
            }
        }
        .boxed()
    }

    fn volumes<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<Labelled>> {
        async move {
            let options = ListVolumesOptions { filters: Some(by_label(label)) };
            let listed = self.client.list_volumes(Some(options)).await.map_err(failed("list the volumes"))?;
            let volumes = listed.volumes.unwrap_or_default();
            Ok(volumes
                .into_iter()
                .map(|volume| Labelled { id: volume.name, labels: volume.labels.into_iter().collect() })
                .collect())
        }
        .boxed()
    }

    fn remove_volume<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        let action = format!("remove the volume {name}");
        async move { unless_gone(self.client.remove_volume(name, None::<RemoveVolumeOptions>).await, action) }.boxed()
    }

    fn labelled_images<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<Labelled>> {
        async move {
            let options = ListImagesOptions { filters: Some(by_label(label)), ..ListImagesOptions::default() };
            let images = self.client.list_images(Some(options)).await.map_err(failed("list the images"))?;
            let named = images.into_iter().flat_map(|image| {
                let labels: BTreeMap<String, String> = image.labels.into_iter().collect();
                let mut names: Vec<String> =
                    image.repo_tags.into_iter().filter(|name| !name.starts_with("<none>")).collect();
                if names.is_empty() {
                    names.push(image.id);
                }
                names.into_iter().map(move |id| Labelled { id, labels: labels.clone() })
            });
            Ok(named.collect())
        }
        .boxed()
    }
}

type Outcome = Result<(), bollard::errors::Error>;

fn unless_gone(outcome: Outcome, action: String) -> Result<(), HostError> {
    match outcome {
        Err(error) if is_absent(&error) => Ok(()),
        other => unless_so(other, action),
    }
}

fn unless_so(outcome: Outcome, action: String) -> Result<(), HostError> {
    match outcome {
        Err(error) if is_unchanged(&error) => Ok(()),
        other => other.map_err(failed(action)),
    }
}

/// Reads the progress messages of a build or a load to their end.
async fn finished(
    mut told: impl futures_util::Stream<Item = Result<BuildInfo, bollard::errors::Error>> + Unpin,
    action: &str,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<(), HostError> {
    let mut last = String::new();
    while let Some(info) = told.try_next().await.map_err(failed(action))? {
        // Report each stage of a pull once, not each kilobyte.
        if let Some(status) = info.status.filter(|status| *status != last) {
            progress(format!("{} {status}", info.id.unwrap_or_default()).trim().to_owned());
            last = status;
        }
        if let Some(message) = info.error_detail.and_then(|detail| detail.message) {
            return Err(failed(action)(bollard::errors::Error::DockerStreamError { error: message }));
        }
        // The engine colours a command's standard error.
        let text = info.stream.unwrap_or_default().replace("\u{1b}[91m", "").replace("\u{1b}[0m", "");
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            progress(line.trim().to_owned());
        }
    }
    Ok(())
}

fn summary(listed: bollard::models::ContainerSummary) -> ContainerSummary {
    let mut bindings: Vec<Binding> = listed.ports.iter().flatten().filter_map(binding).collect();
    bindings.sort_unstable();
    let id = listed.id.unwrap_or_default();
    ContainerSummary {
        name: listed
            .names
            .and_then(|names| names.into_iter().next())
            .map_or(id, |name| name.trim_start_matches('/').to_owned()),
        image: listed.image_id.unwrap_or_default(),
        labels: sorted(listed.labels),
        bindings,
        networks: listed
            .network_settings
            .and_then(|settings| settings.networks)
            .map(|networks| networks.into_keys().collect())
            .unwrap_or_default(),
        runs: matches!(listed.state, Some(ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::PAUSED)),
    }
}

/// Returns a published port's binding; `None` if the port is not published.
fn binding(port: &PortSummary) -> Option<Binding> {
    let address = port.ip.as_deref().and_then(|address| address.parse().ok());
    let protocol = match port.typ {
        Some(PortSummaryTypeEnum::UDP) => Protocol::Udp,
        _ => Protocol::Tcp,
    };
    let host = SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port.public_port?);
    Some(Binding { container: port.private_port, protocol, host })
}

fn state(state: bollard::models::ContainerState, restarts: u32) -> ContainerState {
    let exit_code = state.exit_code.unwrap_or_default();
    let phase = match state.status {
        Some(ContainerStateStatusEnum::RUNNING) => Phase::Running,
        Some(ContainerStateStatusEnum::PAUSED) => Phase::Paused,
        Some(ContainerStateStatusEnum::RESTARTING) => Phase::Restarting { exit_code },
        // After a failed start, a container stays `created`, with an exit code and a reason.
        Some(ContainerStateStatusEnum::CREATED) if exit_code == 0 => Phase::Created,
        _ => Phase::Exited { exit_code, out_of_memory: state.oom_killed.unwrap_or_default() },
    };
    let started = state.started_at.and_then(|time| time.parse::<Timestamp>().ok());
    ContainerState {
        phase,
        pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default(),
        started: started.and_then(|time| u64::try_from(time.as_millisecond()).ok()).unwrap_or_default(),
        restarts,
        restarts_when: RestartsWhen::default(),
        labels: BTreeMap::new(),
        healthy: match state.health.and_then(|health| health.status) {
            None | Some(HealthStatusEnum::EMPTY | HealthStatusEnum::NONE) => None,
            Some(status) => Some(status == HealthStatusEnum::HEALTHY),
        },
        error: state.error.unwrap_or_default(),
    }
}

/// Parses a log line: the engine's timestamp, a space, the text.
fn line(bytes: &[u8]) -> LogLine {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    match text.split_once(' ').and_then(|(time, rest)| Some((time.parse().ok()?, rest))) {
        Some((time, rest)) => LogLine { time, text: rest.to_owned() },
        // An empty line has only the timestamp.
        None => match text.parse() {
            Ok(time) => LogLine { time, text: String::new() },
            Err(_) => LogLine { time: Timestamp::now(), text: text.to_owned() },
        },
    }
}

/// Splits a reference into name and tag; a digest stays with the name.
fn split(reference: &str) -> (&str, Option<&str>) {
    if reference.contains('@') {
        return (reference, None);
    }
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (reference, None),
    }
}

fn by_label(label: &str) -> HashMap<String, Vec<String>> {
    [("label".to_owned(), vec![label.to_owned()])].into()
}

fn sorted(labels: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    labels.unwrap_or_default().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_split_at_its_tag() {
        assert_eq!(split("amazon/dynamodb-local:2.6.1"), ("amazon/dynamodb-local", Some("2.6.1")));
        assert_eq!(split("localhost:5000/api"), ("localhost:5000/api", None));
        assert_eq!(split("localhost:5000/api:1"), ("localhost:5000/api", Some("1")));
        assert_eq!(split("api:1@sha256:ab"), ("api:1@sha256:ab", None));
    }

    #[test]
    fn a_line_is_told_from_its_time() {
        let read = line(b"2026-01-02T03:04:05.000000006Z hello there\n");
        assert_eq!((read.text.as_str(), read.time.subsec_nanosecond()), ("hello there", 6));
        assert_eq!(line(b"2026-01-02T03:04:05Z\n").text, "");
        assert_eq!(line(b"no time").text, "no time");
    }
}
