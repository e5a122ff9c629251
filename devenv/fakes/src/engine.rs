//! A container engine in memory. It checks a request as the real one does; a container's program is what the test says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devenv_cloud::{CloudError, CloudErrorKind};
use devenv_containers::engine::{
    About, ContainerEngine, ContainerEngines, EngineAbout, HostError, HostErrorKind, NewContainer, NoHost,
};
use devenv_containers::oci::OciImage;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::Faults;
use crate::engine_state::EngineState;

pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, HostError>>;

/// What the containers of an image do once they run.
type Program = Arc<dyn Fn(&NewContainer) + Send + Sync>;

/// Clones are the same engine. A call reads `start CONTAINER`, `create CONTAINER`, `image REFERENCE`, `containers`, and so on:
/// the method, then its object.
#[derive(Clone)]
pub struct FakeEngine {
    pub(crate) about: EngineAbout,
    state: Arc<Mutex<EngineState>>,
    programs: Arc<Mutex<BTreeMap<String, Program>>>,
    faults: Faults,
}

impl fmt::Debug for FakeEngine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FakeEngine").field("state", &self.state).finish_non_exhaustive()
    }
}

impl FakeEngine {
    pub fn new(faults: Faults) -> Self {
        let host =
            About { name: "engine in memory".to_owned(), address: "memory".to_owned(), chosen_by: "a test".to_owned() };
        let about = EngineAbout { host, platform: "linux/amd64".to_owned() };
        Self { about, state: Arc::default(), programs: Arc::default(), faults }
    }

    /// Has an image under this name from the beginning.
    #[must_use]
    pub fn with_image(self, name: &str, image: &OciImage) -> Self {
        self.lock().store(image, &self.about.platform, Some(name));
        self
    }

    /// A registry elsewhere offers this image: a pull finds it.
    pub fn offer(&self, reference: &str, image: &OciImage) {
        self.lock().offered.insert(reference.to_owned(), image.clone());
    }

    /// The platform of every image that has this name now.
    pub fn set_platform(&self, name: &str, platform: &str) {
        for image in &mut self.lock().images {
            if image.names.contains(name) {
                platform.clone_into(&mut image.platform);
            }
        }
    }

    /// EngineState of this image do this when they start.
    pub fn run(&self, image: &str, program: impl Fn(&NewContainer) + Send + Sync + 'static) {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner).insert(image.to_owned(), Arc::new(program));
    }

    /// Another program takes the port of this many starts that publish one.
    pub fn take_ports(&self, starts: usize) {
        self.lock().taken_ports = starts;
    }

    /// The program of a container ends.
    pub fn end(&self, container: &str, exit_code: i64) {
        self.lock().end(container, exit_code);
    }

    /// The program of a container writes a line.
    pub fn write(&self, container: &str, line: &str) {
        if let Some(container) = self.lock().containers.get_mut(container) {
            container.log.push(line.to_owned());
        }
    }

    /// The health check of a container fails or passes from now on.
    pub fn set_health(&self, container: &str, is_healthy: bool) {
        if let Some(container) = self.lock().containers.get_mut(container) {
            container.healthy = Some(is_healthy);
        }
    }

    /// A container as it was ordered.
    pub fn ordered(&self, container: &str) -> Option<NewContainer> {
        self.lock().containers.get(container).map(|container| container.new.clone())
    }

    /// The names of all containers that run, in order.
    pub fn running(&self) -> Vec<String> {
        self.lock().list().into_iter().filter(|found| found.runs).map(|found| found.name).collect()
    }

    /// The names of all containers, in order.
    pub fn names(&self) -> Vec<String> {
        self.lock().containers.keys().cloned().collect()
    }

    /// Runs the program of a container that has started.
    pub(crate) fn run_program(&self, started: &NewContainer) {
        let programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let program = programs.get(&started.spec.image).cloned();
        // A program may change its own engine.
        drop(programs);
        if let Some(program) = program {
            program(started);
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, EngineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request under the script of faults.
    pub(crate) fn meet<'a, T: Send + 'a>(
        &'a self,
        call: String,
        mut work: impl FnMut() -> Result<T, HostError> + Send + 'a,
    ) -> Answer<'a, T> {
        async move { self.faults.meet(call, move || Ok(work())).await.map_err(refused)? }.boxed()
    }
}

/// An error of the script in the words of an engine.
fn refused(error: CloudError) -> HostError {
    let kind = match error.kind {
        CloudErrorKind::Conflict => HostErrorKind::Conflict,
        CloudErrorKind::NotFound => HostErrorKind::NotFound,
        CloudErrorKind::Unreachable | CloudErrorKind::Unavailable | CloudErrorKind::Throttled => {
            HostErrorKind::Unreachable
        }
        _ => HostErrorKind::Other,
    };
    HostError { action: error.action, cause: error.cause, kind }
}

impl ContainerEngines for FakeEngine {
    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn ContainerEngine>, NoHost>> {
        async {
            match self.meet("connect".to_owned(), move || Ok(())).await {
                Ok(()) => Ok(Arc::new(self.clone()) as Arc<dyn ContainerEngine>),
                Err(error) => {
                    Err(NoHost { tried: vec![("memory".to_owned(), error.cause)], remedy: "start it".to_owned() })
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use devenv_containers::container::{ContainerSpec, PublishedPort};
    use devenv_containers::engine::{JoinedNetwork, Phase};
    use devenv_containers::oci::Blob;
    use devenv_model::intent::RestartPolicy;
    use devenv_model::manifest::Limits;
    use devenv_model::unit::Probe;

    use super::*;
    use crate::Fault;

    fn container(name: &str, port: u16, network: JoinedNetwork) -> NewContainer {
        let ports = vec![PublishedPort { container: 80, host: port, host_ip: [127, 0, 0, 1].into() }];
        let spec = ContainerSpec {
            name: name.to_owned(),
            aliases: Vec::new(),
            image: "web:1".to_owned(),
            entrypoint: None,
            command: None,
            environment: BTreeMap::new(),
            ports: if port == 0 { Vec::new() } else { ports },
            probe: Probe::Started,
            stop_grace_period: Duration::ZERO,
            user: None,
            limits: Limits::default(),
            healthcheck: None,
            volume: None,
            binds: Vec::new(),
            labels: BTreeMap::new(),
            restart: RestartPolicy::No,
        };
        NewContainer { name: name.to_owned(), spec, labels: BTreeMap::new(), network, volume_labels: BTreeMap::new() }
    }

    async fn engine() -> (FakeEngine, Faults, JoinedNetwork) {
        let faults = Faults::default();
        let image = OciImage::new(Blob::new("configuration"), Vec::new());
        let engine = FakeEngine::new(faults.clone()).with_image("web:1", &image);
        let network = engine.ensure_network("shop", &BTreeMap::new()).await.expect("no fault");
        (engine, faults, JoinedNetwork::Own(network))
    }

    fn kind<T: fmt::Debug>(answer: Result<T, HostError>) -> HostErrorKind {
        answer.expect_err("it is refused").kind
    }

    #[tokio::test]
    async fn it_refuses_what_a_real_engine_refuses() {
        let (engine, _, network) = engine().await;
        engine.create(&container("a", 8000, network.clone())).await.expect("no fault");
        assert_eq!(kind(engine.create(&container("a", 0, network.clone())).await), HostErrorKind::Conflict);
        let mut unknown = container("b", 0, network.clone());
        "web:2".clone_into(&mut unknown.spec.image);
        assert_eq!(kind(engine.create(&unknown).await), HostErrorKind::NotFound);
        engine.create(&container("b", 8000, network)).await.expect("a port is bound at the start");
        engine.create(&container("c", 0, JoinedNetwork::Of("a".to_owned()))).await.expect("no fault");
        assert_eq!(kind(engine.start("c").await), HostErrorKind::Other, "there is no namespace to join");
        for name in ["a", "a", "c"] {
            engine.start(name).await.expect("a second start is no error");
        }
        assert_eq!(kind(engine.start("b").await), HostErrorKind::PortTaken);
        assert_eq!(engine.running(), ["a", "c"]);
        assert_eq!(kind(engine.remove_image("web:1").await), HostErrorKind::Conflict, "a container uses it");
        engine.tag("web:1", "shop/web:1").await.expect("no fault");
        engine.remove_image("web:1").await.expect("it has another name");
        assert_eq!(engine.image_names("").await.expect("no fault"), ["shop/web:1"]);
    }

    #[tokio::test]
    async fn a_container_ends_as_it_is_told_and_gives_its_port_back() {
        let (engine, faults, network) = engine().await;
        for (name, network) in [("a", network.clone()), ("b", network)] {
            engine.create(&container(name, 8000, network)).await.expect("no fault");
        }
        engine.start("a").await.expect("no fault");
        engine.pause("a").await.expect("it runs");
        assert_eq!(kind(engine.pause("a").await), HostErrorKind::Conflict);
        engine.unpause("a").await.expect("it is paused");
        engine.end("a", 3);
        let state = engine.inspect("a").await.expect("no fault").expect("there");
        assert_eq!((state.phase, state.pid), (Phase::Exited { exit_code: 3, out_of_memory: false }, 0));
        assert_eq!(kind(engine.kill("a").await), HostErrorKind::Conflict);
        faults.on("start b", 1, Fault::Lost);
        assert_eq!(kind(engine.start("b").await), HostErrorKind::Unreachable);
        assert_eq!(engine.running(), ["b"], "only the answer was lost");
        engine.stop("nobody").await.expect("a missing container is stopped");
        engine.remove("nobody").await.expect("and removed");
    }

    #[tokio::test]
    async fn a_loaded_image_is_the_saved_one_with_its_name() {
        let (engine, _, _) = engine().await;
        let layer = Blob::new("layer");
        let config = serde_json::json!({ "rootfs": { "diff_ids": [layer.digest()] } });
        let image = OciImage::new(Blob::new(config.to_string()), vec![layer]);
        engine.load(image.archive(Some("api:1")).expect("in memory")).await.expect("it is whole");
        let found = engine.image("api:1").await.expect("no fault").expect("it is loaded");
        assert_eq!(found.id, image.config_digest());
        let saved = engine.save(&found.id).await.expect("no fault").into();
        assert_eq!(OciImage::read(&saved, &found.id).expect("whole").digest(), image.digest());
        assert_eq!(kind(engine.load(vec![0; 1024]).await), HostErrorKind::Other);
    }
}
