//! The commands on an environment of processes, whose supervisor runs in the test's own process.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::error::BuildError;
use devenv_engine::{
    DownOptions, Error, UnitAction, Up, UpOptions, down, environment, logs, reset, seed, status, unit, up,
};
use devenv_model::event::{Event, UnitReport};
use devenv_model::observed::Leftover;
use devenv_processes::host::ProcessHost;
use devenv_runtime::{
    Cancel, Emitter, Error as RuntimeError, Found, LogOptions, NoHost, Project, ProjectOptions, RuntimeHost,
    RuntimeRequest, Runtimes,
};
use devenv_supervisor::client::Client;
use devenv_supervisor::lock::take_for_child;
use devenv_supervisor::server::{SuperviseOptions, supervise};
use devenv_supervisor::state_directory::StateDirectory;
use futures_util::future::{BoxFuture, ready};
use tempfile::TempDir;

/// Far longer than any of these tests takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process forked while a unit starts inherits that unit's lock. Outside of tests, a process has one supervisor only.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const SETTINGS: &str = r#"version = 1
name = "shop"
compose = "compose.yaml"
tables = "tables"

[services.api.process]
command = ["/bin/sh", "-c", "echo $GREETING; exec sleep 60"]

[services.mailer.process]
command = ["/bin/sh", "-c", "exec sleep 60"]
"#;

const COMPOSE: &str = "services:
  api:
    image: api:1
    environment: { GREETING: hello }
    depends_on: { mailer: { condition: service_started } }
  mailer:
    image: mailer:1
";

/// No container engine answers.
#[derive(Debug)]
struct Nowhere;

impl Runtimes for Nowhere {
    fn processes(&self) -> Arc<dyn RuntimeHost> {
        Arc::new(ProcessHost)
    }

    fn find(&self) -> BoxFuture<'_, Result<Found, NoHost>> {
        Box::pin(ready(Err(NoHost::default())))
    }
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        std::fs::create_dir(place.0.path().join("tables")).expect("writable");
        place.write("devenv.toml", SETTINGS);
        place.write("compose.yaml", COMPOSE);
        place
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.path().join(file), text).expect("writable");
    }

    fn load(&self) -> Project {
        let directory: Utf8PathBuf = Utf8Path::from_path(self.0.path()).expect("UTF-8").to_owned();
        let options = ProjectOptions {
            directory,
            compose: devenv_runtime::ComposeOptions::default(),
            state_dir: None,
            ephemeral: false,
            runtimes: Arc::new(Nowhere),
        };
        Project::load(&options).expect("no mistake in it")
    }

    /// Runs `test` beside a supervisor, which has ended when this returns.
    async fn beside_a_supervisor(&self, test: impl AsyncFnOnce()) {
        let _alone = ALONE.lock().await;
        let state = self.load().state.clone();
        let supervisor =
            supervise(SuperviseOptions { state_dir: state.path().to_owned(), instance: "test".to_owned() });
        let test = async {
            while !state.socket().exists() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            test().await;
            if let Some(mut client) = Client::reach(&state).await.expect("ours") {
                client.shutdown().await.expect("it ends");
            }
        };
        let both = async { tokio::join!(supervisor, test).0 };
        tokio::time::timeout(PATIENCE, both).await.expect("in time").expect("it ends in order");
    }

    /// Brings everything up with an emulator outside of the environment, to which no request is made.
    async fn up(&self) -> Result<Up, Error> {
        let request =
            RuntimeRequest { emulator_url: Some("http://127.0.0.1:9".to_owned()), ..RuntimeRequest::default() };
        let options = UpOptions { request, services: Vec::new(), timeout: PATIENCE };
        up(&self.load(), &options, &quiet(), &Cancel::never()).await
    }

    async fn unit(&self, name: &str) -> UnitReport {
        let report = status(&self.load()).await.expect("it answers");
        report.units.into_iter().find(|unit| unit.name == name).expect("it is listed")
    }

    async fn act(&self, action: UnitAction, name: &str) -> Result<(), Error> {
        unit(&self.load(), action, name).await
    }

    async fn down(&self) -> devenv_engine::Down {
        down(&self.load(), &DownOptions::default(), &quiet()).await.expect("nothing fails")
    }

    /// A process of the unit, as a supervisor that was killed leaves it.
    fn leave(&self, unit: &str) -> Left {
        let state = self.load().state.clone();
        state.prepare().expect("writable");
        let held = take_for_child(&state.unit_lock(unit)).expect("nobody else has it");
        Left(Command::new("sleep").arg("60").stdin(held).process_group(0).spawn().expect("sleep is there"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let state = Utf8Path::from_path(self.0.path()).expect("UTF-8").join(".devenv");
        let _ = StateDirectory::new(&state).remove_runtime();
    }
}

struct Left(Child);

impl Drop for Left {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn quiet() -> Emitter {
    Emitter::channel().0
}

async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let checking = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, checking).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

#[tokio::test]
async fn an_environment_is_brought_up_changed_interrupted_and_taken_down() {
    let place = Place::new();
    place
        .beside_a_supervisor(async || {
            let first = place.up().await.expect("nothing fails");
            assert!(first.changed && !first.attachment.is_owner(), "the supervisor was there before");
            assert!(!place.up().await.expect("nothing fails").changed);
            let before = place.unit("api").await;
            assert_eq!((before.state.as_str(), before.restarts), ("ready", 0));
            let variables = environment(&place.load()).await.expect("it runs");
            assert_eq!(variables["AWS_ENDPOINT_URL"], "http://127.0.0.1:9");

            place.act(UnitAction::Kill, "api").await.expect("it runs");
            eventually("api is started again", async || {
                let api = place.unit("api").await;
                api.state == "ready" && api.restarts == 1 && api.pid != before.pid
            })
            .await;
            place.act(UnitAction::Stop, "mailer").await.expect("it runs");
            let stopped = place.unit("mailer").await;
            assert_eq!((stopped.state.as_str(), stopped.detail.as_deref()), ("stopped", Some("ended with signal 15")));
            assert_eq!(place.unit("api").await.state, "ready", "nothing else is stopped");
            place.act(UnitAction::Start, "mailer").await.expect("it runs");
            assert_eq!(place.unit("mailer").await.state, "ready");

            let mailer = place.unit("mailer").await.pid;
            place.write("compose.yaml", &COMPOSE.replace("hello", "good evening"));
            assert!(place.up().await.expect("nothing fails").changed);
            assert_eq!(place.unit("mailer").await.pid, mailer, "it has not changed");

            let down = place.down().await;
            assert!(down.was_running && down.leftovers.is_empty());
            assert_eq!(down.stopped, ["api", "mailer"]);
            assert_eq!(place.unit("api").await.state, "stopped");
            assert!(matches!(
                place.act(UnitAction::Kill, "api").await,
                Err(Error::Runtime(RuntimeError::NotRunning { .. }))
            ));
            assert!(matches!(environment(&place.load()).await, Err(Error::Runtime(RuntimeError::NotRunning { .. }))));
        })
        .await;
}

/// Cargo compiles a package of the project's own workspace, once until its source changes.
#[tokio::test]
async fn a_package_is_built_when_it_is_stale_and_its_mistake_is_shown() {
    let place = Place::new();
    place.write(
        "devenv.toml",
        &SETTINGS.replace(r#"command = ["/bin/sh", "-c", "echo $GREETING; exec sleep 60"]"#, r#"package = "sleeper""#),
    );
    place.write("Cargo.toml", "[package]\nname = \"sleeper\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n");
    std::fs::create_dir(place.0.path().join("src")).expect("writable");
    let source = |body: &str| place.write("src/main.rs", &format!("fn main() {{ {body} }}"));
    source("std::thread::sleep(std::time::Duration::from_secs(60))");
    place
        .beside_a_supervisor(async || {
            assert!(place.up().await.expect("it compiles").changed);
            let first = place.unit("api").await.pid;
            assert!(!place.up().await.expect("nothing fails").changed, "the program is newer than its source");
            source("println!(\"up\"); std::thread::sleep(std::time::Duration::from_secs(60))");
            assert!(place.up().await.expect("it compiles").changed);
            assert_ne!(place.unit("api").await.pid, first);
            source("nonsense");
            let Err(Error::Runtime(RuntimeError::Build(error))) = place.up().await else {
                panic!("it does not compile")
            };
            let BuildError::Failed { packages, output } = error else { panic!("{error:?}") };
            assert_eq!(packages, ["sleeper"]);
            assert!(output.iter().any(|line| line.contains("cannot find value `nonsense`")), "{output:?}");
            assert_eq!(place.unit("api").await.state, "ready", "a failed build leaves the running program alone");
        })
        .await;
}

#[tokio::test]
async fn a_unit_that_fails_is_reported_with_its_log_and_what_the_command_started_goes() {
    let place = Place::new();
    place.write("devenv.toml", &SETTINGS.replace("echo $GREETING; exec sleep 60", "echo last words; exit 7"));
    place
        .beside_a_supervisor(async || {
            let Err(error) = place.up().await else { panic!("api ends at once") };
            let Error::Runtime(RuntimeError::UnitFailed { unit, cause, log }) = error else { panic!("{error:?}") };
            assert_eq!((unit.as_str(), cause.as_str()), ("api", "ended with exit code 7 before it was ready"));
            assert!(log.contains(&"last words".to_owned()), "{log:?}");
            for unit in ["api", "mailer"] {
                assert_eq!(place.unit(unit).await.state, "stopped", "{unit}");
            }
        })
        .await;
}

/// A project whose `api` starts when `mailer`, with this script, has completed.
fn with_one_shot(script: &str) -> Place {
    let place = Place::new();
    place.write("compose.yaml", &COMPOSE.replace("service_started", "service_completed_successfully"));
    let mailer = "[services.mailer.process]\ncommand = [\"/bin/sh\", \"-c\", \"exec sleep 60\"]";
    assert!(SETTINGS.contains(mailer));
    place.write("devenv.toml", &SETTINGS.replace(mailer, &mailer.replace("exec sleep 60", script)));
    place
}

#[tokio::test]
async fn a_process_that_runs_once_completes_before_the_others_start_and_runs_again_when_asked() {
    let place = with_one_shot("echo run >> runs; sleep 0.2");
    let runs = || std::fs::read_to_string(place.0.path().join("runs")).expect("it ran").lines().count();
    place
        .beside_a_supervisor(async || {
            let report = place.up().await.expect("nothing fails").report;
            let state = |name: &str| report.units.iter().find(|unit| unit.name == name).map(|unit| unit.state.clone());
            assert_eq!(state("mailer").as_deref(), Some("completed"));
            assert_eq!(state("api").as_deref(), Some("ready"));
            let (api, mailer) = (place.unit("api").await, place.unit("mailer").await);
            assert_eq!((mailer.state.as_str(), mailer.restarts, mailer.pid), ("completed", 0, None));
            assert!(!place.up().await.expect("nothing fails").changed);
            assert_eq!(runs(), 1);
            place.act(UnitAction::Start, "mailer").await.expect("it completes");
            assert_eq!(runs(), 2);
            let compose = COMPOSE.replace("service_started", "service_completed_successfully");
            place.write("compose.yaml", &compose.replace("mailer:1\n", "mailer:1\n    environment: { LEVEL: two }\n"));
            assert!(place.up().await.expect("nothing fails").changed);
            assert_eq!((runs(), place.unit("api").await.pid), (3, api.pid), "nothing else has changed");
            assert_eq!(place.unit("mailer").await.state, "completed");
        })
        .await;
}

#[tokio::test]
async fn a_process_that_runs_once_and_fails_is_reported_with_its_exit_code_and_its_last_lines() {
    let place = with_one_shot("echo no such column; exit 3");
    place
        .beside_a_supervisor(async || {
            let Err(error) = place.up().await else { panic!("mailer fails") };
            let Error::Runtime(RuntimeError::UnitFailed { unit, cause, log }) = error else { panic!("{error:?}") };
            assert_eq!((unit.as_str(), cause.as_str()), ("mailer", "ended with exit code 3"));
            assert!(log.contains(&"no such column".to_owned()), "{log:?}");
            assert_eq!(place.unit("api").await.state, "stopped");
            assert!(!place.load().state.log("api").exists(), "it never started");
        })
        .await;
}

#[tokio::test]
async fn a_process_that_asks_for_it_restarts_with_its_dependency() {
    let place = Place::new();
    let compose = COMPOSE.replace("service_started", "service_started, restart: true");
    place.write("compose.yaml", &compose);
    place
        .beside_a_supervisor(async || {
            place.up().await.expect("nothing fails");
            let api = place.unit("api").await.pid;
            place.write("compose.yaml", &compose.replace("mailer:1\n", "mailer:1\n    environment: { LEVEL: two }\n"));
            assert!(place.up().await.expect("nothing fails").changed);
            assert_ne!(place.unit("api").await.pid, api);
            assert!(!place.up().await.expect("nothing fails").changed);
        })
        .await;
}

#[tokio::test]
async fn a_process_is_ready_when_its_health_check_passes() {
    let place = Place::new();
    let check = "healthcheck: { test: \"test -e healthy && test $$GREETING = hello\", interval: 100ms }";
    let waits = "depends_on: { api: { condition: service_healthy } }";
    let compose = COMPOSE.replace("depends_on: { mailer: { condition: service_started } }", check);
    place.write("compose.yaml", &compose.replace("mailer:1\n", &["mailer:1\n    ", waits, "\n"].concat()));
    place.write("devenv.toml", &SETTINGS.replace("echo $GREETING;", "sleep 0.5; touch healthy;"));
    place
        .beside_a_supervisor(async || {
            assert!(place.up().await.expect("nothing fails").changed);
            assert!(place.0.path().join("healthy").exists(), "the command waits for the check");
            assert_eq!(place.unit("mailer").await.state, "ready");
            assert!(!place.up().await.expect("nothing fails").changed);
            std::fs::remove_file(place.0.path().join("healthy")).expect("ours");
            eventually("api is no longer ready", async || place.unit("api").await.state == "starting").await;
        })
        .await;
}

#[tokio::test]
async fn logs_begin_with_the_last_lines_and_follow_until_nobody_wants_more() {
    let place = Place::new();
    let state = place.load().state.clone();
    state.prepare().expect("writable");
    std::fs::write(state.log("api"), "2026-01-01T00:00:01.000Z one\n2026-01-01T00:00:03.000Z three\n")
        .expect("writable");
    std::fs::write(state.log("mailer"), "2026-01-01T00:00:02.000Z two\n").expect("writable");
    let read = async |services: &[&str], tail, follow| {
        let options = LogOptions {
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            tail,
            follow,
            ..LogOptions::default()
        };
        let (emitter, mut events) = Emitter::channel();
        let (canceller, cancel) = Cancel::channel();
        let project = place.load();
        let reading = async {
            let outcome = logs(&project, &options, &emitter, &cancel).await;
            drop(emitter);
            outcome
        };
        let collecting = async {
            let mut lines = Vec::new();
            while let Some(Event::Log { unit, line, .. }) = events.recv().await {
                let is_last = line == "four";
                lines.push(format!("{unit} {line}"));
                if follow && lines.len() == 1 {
                    let more = "2026-01-01T00:00:03.000Z three\n2026-01-01T00:00:04.000Z four\n";
                    std::fs::write(state.log("api"), format!("2026-01-01T00:00:01.000Z one\n{more}"))
                        .expect("writable");
                }
                if is_last {
                    canceller.cancel();
                }
            }
            lines
        };
        let both = async { tokio::join!(reading, collecting) };
        let (outcome, lines) = tokio::time::timeout(PATIENCE, both).await.expect("in time");
        outcome.map(|()| lines)
    };
    assert_eq!(read(&[], None, false).await.expect("readable"), ["api one", "mailer two", "api three"]);
    assert_eq!(read(&[], Some(1), false).await.expect("readable"), ["mailer two", "api three"]);
    assert_eq!(read(&["mailer"], None, false).await.expect("readable"), ["mailer two"]);
    assert_eq!(read(&["api"], Some(1), true).await.expect("readable"), ["api three", "api four"]);
    let unknown = read(&["apy"], None, false).await;
    assert!(
        matches!(unknown, Err(Error::UnknownService { name, known }) if name == "apy" && known.contains(&"emulator".to_owned()))
    );
}

#[tokio::test]
async fn a_killed_runs_process_is_shown_and_ended() {
    let _alone = ALONE.lock().await;
    let place = Place::new();
    let mut left = place.leave("api");
    let pid = left.0.id();
    // The socket of a supervisor that was killed.
    let socket = place.load().state.socket();
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("nobody else has it"));
    let shown = place.unit("api").await;
    assert_eq!(shown.detail, Some(format!("process {pid} is left from a killed run")));
    let (emitter, mut events) = Emitter::channel();
    let down = down(&place.load(), &DownOptions::default(), &emitter).await.expect("nothing fails");
    assert_eq!(down.leftovers, [Leftover { unit: "api".to_owned(), pid }]);
    assert!(!down.was_running && !socket.exists());
    assert!(left.0.wait().expect("ours").code().is_none(), "it was ended by a signal");
    let told = events.recv().await;
    let names_it = |message: &str| message.contains("ending api") && message.contains(&pid.to_string());
    assert!(matches!(&told, Some(Event::Notice { message }) if names_it(message)), "{told:?}");
}

/// `up` starts the test's own program as the supervisor, which does not know the command.
#[tokio::test]
async fn a_supervisor_that_does_not_start_is_reported_with_its_last_words() {
    let _alone = ALONE.lock().await;
    let place = Place::new();
    let Err(error) = place.up().await else { panic!("there is no supervisor") };
    let Error::Runtime(RuntimeError::SupervisorStart { cause, log }) = &error else { panic!("{error:?}") };
    assert!(cause.contains("exit status"), "{cause}");
    assert!(log.iter().any(|line| line.contains("state-dir")), "{log:?}");
}

#[tokio::test]
async fn data_is_put_only_on_this_machine_and_only_where_something_runs() {
    let place = Place::new();
    let project = place.load();
    let elsewhere = seed(&project, Some("http://10.0.0.1:8000")).await;
    assert!(
        matches!(elsewhere, Err(Error::Resource(devenv_resources::error::Error::NotLocal { .. }))),
        "{elsewhere:?}"
    );
    assert!(matches!(seed(&project, None).await, Err(Error::Runtime(RuntimeError::NotRunning { .. }))));
    assert!(matches!(reset(&project).await, Err(Error::Runtime(RuntimeError::NotRunning { .. }))));
    assert!(!project.state.path().exists(), "a refusal leaves nothing");
}
