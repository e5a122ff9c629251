//! The process runtime: units are children of a supervisor, which commands reach through its socket.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::MutexGuard;
use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::artifact::{Artifact, Inputs};
use devenv_model::exec::ExecOrder;
use devenv_model::intent::UnitIntent;
use devenv_model::manifest::EmulatorKind;
use devenv_model::observed::{Observed, ObservedUnit, UnitState};
use devenv_model::unit::Probe;
use devenv_supervisor::client::Client;
use devenv_supervisor::log_reader::last_lines;
use devenv_supervisor::memory::memory_of_groups;
use devenv_supervisor::state_directory::StateDirectory;
use devenv_supervisor::unit_spec::UnitSpec;
use devenv_supervisor::{clock, error};
use futures_util::future::{BoxFuture, ready};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::Mutex;

use devenv_artifacts::builds::{Binary, BuildsFile};
use devenv_artifacts::cargo::{self, Built};
use devenv_artifacts::command_build::CommandBuild;
use devenv_artifacts::compilation::Compilation;
use devenv_artifacts::contents::Look;
use devenv_artifacts::error::BuildError;
use devenv_artifacts::fingerprint::fingerprint;
use devenv_artifacts::freshness;
use devenv_runtime::processes::{end_leftover, leftovers_of};
use devenv_runtime::{
    Error, Instance, LOG_TAIL, LocalProject, Missing, Observation, Progress, Runtime, RuntimeKind, own_program,
};

/// The limit for the supervisor to report that it is ready.
const START_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct ProcessRuntime {
    state: StateDirectory,
    instance: Instance,
    builds: BuildsFile,
    /// Held while this command lives: an environment that is not detached ends with this connection.
    connection: Mutex<Option<Client>>,
    /// The program of each package.
    programs: std::sync::Mutex<BTreeMap<String, Utf8PathBuf>>,
    /// The files of each unit that has inputs or a build of its own, as they were when they were looked at.
    looks: std::sync::Mutex<BTreeMap<String, Look>>,
}

impl ProcessRuntime {
    /// Connects to the supervisor of this state directory, if one runs.
    pub(crate) async fn connect(project: &LocalProject) -> Result<Self, Error> {
        let connection = Client::reach(&project.state).await?;
        Ok(Self {
            state: project.state.clone(),
            instance: project.instance.clone(),
            builds: project.builds.clone(),
            connection: Mutex::new(connection),
            programs: std::sync::Mutex::default(),
            looks: std::sync::Mutex::default(),
        })
    }

    /// Starts a supervisor if none runs, and becomes its owner. Returns whether it started one.
    async fn ensure_supervisor(&self) -> Result<bool, Error> {
        let mut connection = self.connection.lock().await;
        if connection.is_some() {
            return Ok(false);
        }
        launch(&self.state, &self.instance).await?;
        let client = Client::reach(&self.state).await?;
        let mut client = client.ok_or_else(|| Error::SupervisorStart {
            cause: "it does not answer on its socket".to_owned(),
            log: last_lines(&self.state.supervisor_log(), LOG_TAIL),
        })?;
        client.own().await?;
        *connection = Some(client);
        Ok(true)
    }

    /// A new connection, so that a long wait does not block other requests.
    async fn client(&self) -> Result<Client, Error> {
        let client = Client::reach(&self.state).await?;
        client.ok_or_else(|| error::Error::Lost { cause: "nothing listens on its socket".to_owned() }.into())
    }

    /// A connection for a command that needs a running environment.
    async fn running(&self) -> Result<Client, Error> {
        let client = Client::reach(&self.state).await?;
        client.ok_or_else(|| Error::NotRunning { project: self.instance.name.clone() })
    }

    async fn observe(&self) -> Result<Observation, Error> {
        if let Some(client) = self.connection.lock().await.as_mut() {
            let units = client.observe().await?;
            let units = units.into_iter().map(|unit| (unit.name.clone(), unit)).collect();
            return Ok(Observation { units, ..Observation::default() });
        }
        Ok(Observation { leftovers: leftovers_of(&self.state)?, ..Observation::default() })
    }

    fn programs(&self) -> MutexGuard<'_, BTreeMap<String, Utf8PathBuf>> {
        self.programs.lock().expect("no panic while held")
    }

    /// Finds each package's program, and the reasons to build.
    fn missing(&self, artifacts: &[(String, Artifact)]) -> Result<Missing, Error> {
        let root = &self.instance.root;
        let compilation = Compilation::of_processes(root);
        let builds = self.builds.read();
        let mut missing = Missing::default();
        for package in artifacts.iter().filter_map(|(_, artifact)| artifact.package()) {
            let expected = compilation.expected_binary(package);
            let known = builds.binaries.get(&compilation.key(package));
            let checked = known.filter(|binary| binary.path == expected || !expected.exists());
            let path = checked.map_or(expected, |binary| binary.path.clone());
            let looked = checked.map(|binary| clock::time(binary.checked));
            if let Some(reason) = freshness::stale(root, &path, looked) {
                missing.stale.insert(package.to_owned(), reason);
            }
            self.programs().insert(package.to_owned(), path);
        }
        for (unit, artifact) in artifacts {
            let Some(command) = self.watched(unit, artifact) else { continue };
            let look = command.look()?;
            missing.stale_units.extend(look.stale.clone().map(|reason| (unit.clone(), reason)));
            self.looks().insert(unit.clone(), look);
        }
        Ok(missing)
    }

    /// The build of a command that files or a build start again.
    fn watched<'a>(&'a self, unit: &'a str, artifact: &'a Artifact) -> Option<CommandBuild<'a>> {
        let Artifact::Command(artifact) = artifact else { return None };
        let (root, shared) = (self.instance.root.as_path(), self.builds.folder());
        CommandBuild::is_watched(artifact).then_some(CommandBuild { unit, artifact, root, shared })
    }

    fn looks(&self) -> MutexGuard<'_, BTreeMap<String, Look>> {
        self.looks.lock().expect("no panic while held")
    }

    async fn build_unit(&self, intent: &UnitIntent, progress: Progress<'_>) -> Result<(), Error> {
        let Some(command) = self.watched(&intent.service, &intent.artifact) else { return Ok(()) };
        // The files as they were before the build: a change meanwhile is found by the next look.
        let look = command.look()?;
        command.run(&self.state, &intent.environment, progress).await?;
        command.keep(&look);
        self.looks().insert(intent.service.clone(), look);
        Ok(())
    }

    async fn start(&self, intent: &UnitIntent) -> Result<(), Error> {
        self.client().await?.start(self.spec(intent)?).await?;
        if let Some(command) = self.watched(&intent.service, &intent.artifact)
            && let Some(look) = self.looks().get(&intent.service)
            && command.artifact.build.is_none()
        {
            command.keep(look);
        }
        Ok(())
    }

    async fn build(&self, packages: &[String], progress: Progress<'_>) -> Result<(), Error> {
        let begun = clock::now();
        let compilation = Compilation::of_processes(&self.instance.root);
        let built = cargo::build(&compilation, packages, progress).await?;
        let mut builds = self.builds.read();
        for (package, Built { path, .. }) in &built {
            builds.binaries.insert(compilation.key(package), Binary { path: path.clone(), checked: begun });
        }
        self.builds.write(&builds);
        self.programs().extend(built.into_iter().map(|(package, Built { path, .. })| (package, path)));
        Ok(())
    }

    fn program(&self, package: &str) -> Result<Utf8PathBuf, Error> {
        self.programs().get(package).cloned().ok_or_else(|| BuildError::NoBinary { package: package.to_owned() }.into())
    }

    fn spec(&self, intent: &UnitIntent) -> Result<UnitSpec, Error> {
        let command = match &intent.artifact {
            // The program is the entry point of its package's image, and `command` of the Compose file has its arguments.
            Artifact::Cargo { package } => {
                let arguments = intent.command.iter().flatten().cloned();
                std::iter::once(self.program(package)?.to_string()).chain(arguments).collect()
            }
            Artifact::Command(command) => command.run.clone(),
            Artifact::Dockerfile(_) | Artifact::Image { .. } => {
                let (unit, artifact) = (intent.name.clone(), intent.artifact.kind());
                return Err(Error::CannotRun { unit, artifact, runtime: RuntimeKind::Process });
            }
        };
        let artifact = match intent.artifact.inputs() {
            // The program counts, not its sources: an uncompiled change does not affect the process.
            Inputs::Package(package) => fingerprint(&[self.program(package)?]),
            Inputs::Files(files) if self.watched(&intent.service, &intent.artifact).is_none() => fingerprint(files),
            Inputs::Files(_) | Inputs::Patterns(_) => {
                self.looks().get(&intent.service).map(Look::fingerprint).unwrap_or_default()
            }
            Inputs::Folder(_) | Inputs::None => String::new(),
        };
        let directory = match &intent.artifact {
            Artifact::Command(command) if command.workdir != "" => self.instance.root.join(&command.workdir),
            _ => self.directory(intent),
        };
        Ok(UnitSpec {
            name: intent.name.clone(),
            command,
            directory,
            environment: intent.environment.clone(),
            ports: intent.bindings.iter().map(|binding| (binding.container, binding.host.port())).collect(),
            probe: intent.probe.clone(),
            healthcheck: intent.healthcheck.clone().filter(|_| intent.probe == Probe::Healthcheck),
            lifetime: intent.lifetime,
            stop_grace_period: intent.stop_grace_period,
            stop_signal: intent.container.execution.stop_signal.clone(),
            artifact,
        })
    }

    /// The working folder of the Compose file, if it is one of this project, and not of an image.
    fn directory(&self, intent: &UnitIntent) -> Utf8PathBuf {
        let root = &self.instance.root;
        let named = intent.container.execution.working_dir.as_ref().map(Utf8PathBuf::from);
        named.filter(|folder| folder.starts_with(root)).unwrap_or_else(|| root.clone())
    }

    async fn await_ready(&self, unit: &str) -> Result<(), Error> {
        let cause = match self.client().await?.await_ready(unit).await?.state {
            UnitState::Ready { .. } | UnitState::Completed => return Ok(()),
            UnitState::Failed { error } => error,
            UnitState::Backoff { exit, .. } => format!("it was ready, then ended with {exit}"),
            UnitState::Stopped { .. } | UnitState::Starting { .. } => "another command stopped it".to_owned(),
        };
        Err(Error::UnitFailed { unit: unit.to_owned(), cause, log: last_lines(&self.state.log(unit), LOG_TAIL) })
    }

    async fn take_down(&self) -> Result<Vec<String>, Error> {
        if let Some(mut client) = self.connection.lock().await.take() {
            client.shutdown().await?;
            client.closed().await;
        }
        Ok(Vec::new())
    }

    async fn ended(&self) {
        match self.connection.lock().await.as_mut() {
            Some(client) => client.closed().await,
            None => std::future::pending().await,
        }
    }
}

impl Runtime for ProcessRuntime {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Error>> {
        Box::pin(self.observe())
    }

    fn missing<'a>(&'a self, artifacts: &'a [(String, Artifact)]) -> BoxFuture<'a, Result<Missing, Error>> {
        Box::pin(ready(self.missing(artifacts)))
    }

    fn config_hash(&self, intent: &UnitIntent) -> Result<String, Error> {
        Ok(self.spec(intent)?.config_hash())
    }

    fn build<'a>(&'a self, packages: &'a [String], progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.build(packages, progress))
    }

    fn build_unit<'a>(&'a self, intent: &'a UnitIntent, progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.build_unit(intent, progress))
    }

    fn pull<'a>(&'a self, _image: &'a str, _progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }

    fn open<'a>(&'a self, _observed: &'a Observed) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(self.ensure_supervisor())
    }

    fn start<'a>(&'a self, intent: &'a UnitIntent) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.start(intent))
    }

    fn remove<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(self.client().await?.remove(unit).await?) })
    }

    fn await_ready<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.await_ready(unit))
    }

    fn end_leftover<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(end_leftover(&self.state, unit))
    }

    fn crash<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(self.running().await?.kill(unit).await?) })
    }

    fn interrupt<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(self.running().await?.stop(unit).await?) })
    }

    fn resume<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            self.running().await?.start_again(unit).await?;
            self.await_ready(unit).await
        })
    }

    fn exec<'a>(
        &'a self,
        unit: &'a str,
        environment: &'a BTreeMap<String, String>,
        order: &'a ExecOrder,
    ) -> BoxFuture<'a, Result<i32, Error>> {
        let service = unit.to_owned();
        Box::pin(async move {
            if order.user.is_some() {
                return Err(Error::OtherUser { service });
            }
            let program = order.command.first().cloned().unwrap_or_default();
            let ran = devenv_supervisor::exec::exec(&self.instance.root, environment, order).await;
            ran.map_err(|source| Error::Exec { service, program, source })
        })
    }

    fn last_lines<'a>(&'a self, unit: &'a str, count: usize) -> BoxFuture<'a, Vec<String>> {
        Box::pin(ready(last_lines(&self.state.log(unit), count)))
    }

    fn detach(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            match self.connection.lock().await.as_mut() {
                Some(client) => Ok(client.detach().await?),
                None => Ok(()),
            }
        })
    }

    fn take_down(&self) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        Box::pin(self.take_down())
    }

    fn ended(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.ended())
    }

    fn data_place(&self, _emulator: EmulatorKind) -> String {
        self.state.database().into_string()
    }

    fn has_lost_data(&self) -> bool {
        !self.state.database().exists()
    }

    fn memory<'a>(&'a self, units: &'a [ObservedUnit]) -> BoxFuture<'a, BTreeMap<String, u64>> {
        // A unit's first process leads a group of its own.
        let of = |unit: &ObservedUnit| Some((unit.name.clone(), memory_of_groups(&[unit.state.pid()?])?));
        Box::pin(ready(units.iter().filter_map(of).collect()))
    }

    fn supervisor_pid(&self) -> BoxFuture<'_, Option<u32>> {
        Box::pin(async { self.connection.lock().await.as_ref().map(|client| client.pid) })
    }
}

/// Starts `devenv supervise` in a session of its own and waits for its first line.
async fn launch(state: &StateDirectory, instance: &Instance) -> Result<(), Error> {
    let log = state.supervisor_log();
    let failed = |cause: String| Error::SupervisorStart { cause, log: last_lines(&state.supervisor_log(), LOG_TAIL) };
    let log_file = std::fs::File::create(&log).map_err(|source| Error::State { path: log.clone(), source })?;
    let mut child = Command::new(own_program()?)
        .args(["supervise", "--state-dir", state.path().as_str(), "--instance", &instance.name])
        .current_dir(&instance.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        // Ctrl-C in this terminal goes to the command only, which then sends its request to the supervisor.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let mut first = String::new();
    let mut reader = BufReader::new(stdout);
    match tokio::time::timeout(START_LIMIT, reader.read_line(&mut first)).await {
        Ok(Ok(_)) if first == "ready\n" => Ok(()),
        Ok(_) => {
            let status = child.wait().await;
            // A supervisor that a killed command had just started was faster: the next look finds it.
            if state.is_supervised().unwrap_or(false) {
                return Err(
                    error::Error::Lost { cause: "another supervisor started at the same time".to_owned() }.into()
                );
            }
            Err(failed(status.map_or_else(|error| error.to_string(), |status| status.to_string())))
        }
        Err(_) => {
            let _ = child.start_kill();
            Err(failed(format!("it was not ready within {} s", START_LIMIT.as_secs())))
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use devenv_model::artifact::{CommandArtifact, CommandInputs};

    use devenv_runtime::{Found, NoHost, Project, ProjectOptions, RuntimeHost, Runtimes};

    use super::*;
    use crate::host::ProcessHost;

    /// No container engine answers.
    #[derive(Debug)]
    struct Nowhere;

    impl Runtimes for Nowhere {
        fn processes(&self) -> std::sync::Arc<dyn RuntimeHost> {
            std::sync::Arc::new(ProcessHost)
        }

        fn find(&self) -> BoxFuture<'_, Result<Found, NoHost>> {
            Box::pin(ready(Err(NoHost::default())))
        }
    }

    /// A project of one service.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = Self(tempfile::tempdir().expect("a temporary directory"));
            std::fs::create_dir(place.path().join("tables")).expect("writable");
            place.write(
                "devenv.toml",
                "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n",
            );
            place.write("compose.yaml", "services:\n  api:\n    image: api:1\n");
            place
        }

        fn path(&self) -> &Utf8Path {
            Utf8Path::from_path(self.0.path()).expect("UTF-8")
        }

        fn write(&self, file: &str, text: &str) {
            std::fs::write(self.path().join(file), text).expect("writable");
        }

        fn load(&self) -> Project {
            let runtimes = std::sync::Arc::new(Nowhere);
            let options = ProjectOptions {
                directory: self.path().to_owned(),
                compose: devenv_runtime::ComposeOptions::default(),
                state_dir: None,
                ephemeral: false,
                runtimes,
            };
            Project::load(&options).expect("no mistake in it")
        }
    }

    fn intent(artifact: Artifact) -> UnitIntent {
        use devenv_model::intent::{Binding, Lifetime, RestartPolicy};
        UnitIntent {
            name: "api".to_owned(),
            service: "api".to_owned(),
            aliases: Vec::new(),
            artifact,
            entrypoint: None,
            command: None,
            environment: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
            bindings: vec![Binding::on_loopback(80, 20180)],
            probe: Probe::Started,
            healthcheck: None,
            container: devenv_model::container::ContainerSettings::default(),
            user: None,
            labels: BTreeMap::new(),
            stop_grace_period: Duration::from_secs(2),
            lifetime: Lifetime::LongLived { restart: RestartPolicy::Always },
            runs_under_init: false,
        }
    }

    fn command(inputs: CommandInputs, build: Option<&str>) -> Artifact {
        let run = vec!["/bin/api".to_owned(), "--loud".to_owned()];
        let build = build.map(|script| ["sh", "-c", script].map(str::to_owned).to_vec());
        Artifact::Command(CommandArtifact { run, build, inputs, ..CommandArtifact::default() })
    }

    fn patterns() -> CommandInputs {
        CommandInputs::Patterns(vec!["*.py".to_owned()])
    }

    #[tokio::test]
    async fn a_process_is_given_what_is_wanted_of_its_unit() {
        let project = Place::new();
        let runtime = ProcessRuntime::connect(&project.load()).await.expect("no supervisor runs");
        let spec = runtime.spec(&intent(command(CommandInputs::default(), None))).expect("a process can run it");
        assert_eq!(spec.command, ["/bin/api", "--loud"]);
        assert_eq!(spec.directory, runtime.instance.root);
        assert_eq!((&spec.environment["GREETING"], spec.ports[&80]), (&"hello".to_owned(), 20180));
        assert_eq!(spec.stop_grace_period, Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_unit_changes_with_the_files_that_it_is_made_of() {
        let project = Place::new();
        let runtime = ProcessRuntime::connect(&project.load()).await.expect("no supervisor runs");
        let input = project.path().join("api.py");
        let hash = || {
            let intent = intent(command(CommandInputs::Files(vec![input.clone()]), None));
            Runtime::config_hash(&runtime, &intent).expect("a process can run it")
        };
        project.write("api.py", "print(1)");
        let before = hash();
        assert_eq!(hash(), before);
        project.write("api.py", "print(10)");
        assert_ne!(hash(), before);
    }

    #[tokio::test]
    async fn a_process_is_no_image_and_needs_its_program() {
        let project = Place::new();
        let runtime = ProcessRuntime::connect(&project.load()).await.expect("no supervisor runs");
        let image = Artifact::Image { reference: "api:1".to_owned() };
        let refused = runtime.spec(&intent(image));
        assert!(matches!(refused, Err(Error::CannotRun { artifact: "an image", .. })));
        let package = Artifact::Cargo { package: "api".to_owned() };
        assert!(
            matches!(runtime.spec(&intent(package)), Err(Error::Build(BuildError::NoBinary { package })) if package == "api")
        );
    }

    #[tokio::test]
    async fn a_packages_program_gets_the_command_of_the_compose_file_as_arguments() {
        const PACKAGE: &str = "no-package-with-arguments";
        let project = Place::new();
        let loaded = project.load();
        let runtime = ProcessRuntime::connect(&loaded).await.expect("no supervisor runs");
        let artifact = Artifact::Cargo { package: PACKAGE.to_owned() };
        runtime.missing(&[(PACKAGE.to_owned(), artifact.clone())]).expect("nothing fails");
        let program = Compilation::of_processes(&loaded.instance.root).expected_binary(PACKAGE).to_string();
        let with = |command: Option<&[&str]>| {
            let command = command.map(|words| words.iter().map(ToString::to_string).collect());
            let intent = UnitIntent { command, ..intent(artifact.clone()) };
            runtime.spec(&intent).expect("a process can run it").command
        };
        assert_eq!(with(Some(&["serve", "$HOME"])), [&program, "serve", "$HOME"]);
        assert_eq!(with(None), [program]);
    }

    #[tokio::test]
    async fn a_change_of_inputs_makes_a_command_stale_until_it_is_built() {
        let project = Place::new();
        let loaded = project.load();
        loaded.state.prepare().expect("writable");
        let runtime = ProcessRuntime::connect(&loaded).await.expect("no supervisor runs");
        project.write("api.py", "1");
        let intent = intent(command(patterns(), Some("cp api.py built")));
        let wanted = [("api".to_owned(), intent.artifact.clone())];
        let stale = || runtime.missing(&wanted).expect("readable").stale_units.remove("api");
        assert_eq!(stale().as_deref(), Some("not built yet"));
        runtime.build_unit(&intent, &|_| ()).await.expect("it succeeds");
        assert_eq!(stale(), None);
        let hash = Runtime::config_hash(&runtime, &intent).expect("a process can run it");
        project.write("api.py", "22");
        assert_eq!(stale().as_deref(), Some("api.py changed"));
        runtime.build_unit(&intent, &|_| ()).await.expect("it succeeds");
        assert_eq!(std::fs::read_to_string(project.path().join("built")).expect("readable"), "22");
        assert_ne!(Runtime::config_hash(&runtime, &intent).expect("a process can run it"), hash);
    }

    /// The memory of builds has the path of a program that Cargo put elsewhere.
    #[tokio::test]
    async fn a_packages_program_is_where_cargo_puts_it_or_last_put_it() {
        const PACKAGE: &str = "no-package-of-anybody";
        let project = Place::new();
        let loaded = project.load();
        let runtime = ProcessRuntime::connect(&loaded).await.expect("no supervisor runs");
        let package = (PACKAGE.to_owned(), Artifact::Cargo { package: PACKAGE.to_owned() });
        let program = |runtime: &ProcessRuntime| runtime.programs()[PACKAGE].clone();
        let missing = runtime.missing(std::slice::from_ref(&package)).expect("nothing fails");
        let compilation = Compilation::of_processes(&loaded.instance.root);
        assert!(missing.stale.contains_key(PACKAGE) && missing.absent_images.is_empty());
        assert_eq!(program(&runtime), compilation.expected_binary(PACKAGE));
        let elsewhere = loaded.instance.root.join("elsewhere/api");
        let mut builds = loaded.builds.read();
        builds.binaries.insert(compilation.key(PACKAGE), Binary { path: elsewhere.clone(), checked: clock::now() });
        loaded.builds.write(&builds);
        runtime.missing(std::slice::from_ref(&package)).expect("nothing fails");
        assert_eq!(program(&runtime), elsewhere);
        // A program at its expected path counts, whatever the memory says.
        let expected = compilation.expected_binary(PACKAGE);
        std::fs::create_dir_all(expected.parent().expect("a folder")).expect("writable");
        std::fs::write(&expected, "").expect("writable");
        let looked = runtime.missing(&[package]);
        // The folder of Cargo's artifacts may be another one, which the next run finds as this one leaves it.
        std::fs::remove_file(&expected).expect("ours");
        looked.expect("nothing fails");
        assert_eq!(program(&runtime), expected);
    }
}
