//! A supervisor and its clients in one process: the guarantees for commands, whatever happens to the units meanwhile.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use devenv_model::intent::{Lifetime, RestartPolicy};
use devenv_model::manifest::{HealthTest, Healthcheck};
use devenv_model::observed::{Exit, ObservedUnit, UnitState};
use devenv_model::unit::Probe;
use devenv_supervisor::client::Client;
use devenv_supervisor::clock;
use devenv_supervisor::error::Error;
use devenv_supervisor::leftovers;
use devenv_supervisor::lock::{has_ended_in_order, is_held, take_for_child};
use devenv_supervisor::log_reader::last_lines;
use devenv_supervisor::restore::restore_files;
use devenv_supervisor::server::supervise_in;
use devenv_supervisor::state_directory::StateDirectory;
use devenv_supervisor::unit_spec::UnitSpec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Far longer than any of these tests takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every process forked between the opening of a lock and the start of its unit inherits the lock. Only tests have two
/// supervisors in one process; these must not start units at the same time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn unit(name: &str, script: &str) -> UnitSpec {
    UnitSpec {
        name: name.to_owned(),
        command: ["/bin/sh", "-c", script].map(str::to_owned).into(),
        directory: "/".into(),
        environment: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
        ports: BTreeMap::new(),
        probe: Probe::Started,
        healthcheck: None,
        lifetime: Lifetime::LongLived { restart: RestartPolicy::Always },
        stop_grace_period: Duration::from_secs(5),
        stop_signal: None,
        artifact: String::new(),
    }
}

/// Runs `test` beside a supervisor, which has ended when this returns.
async fn beside_a_supervisor(test: impl AsyncFnOnce(&StateDirectory)) {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let state = StateDirectory::within(&path.join(".devenv"), &[path.join("run")]);
    let test = async {
        while !state.socket().exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        test(&state).await;
        if let Some(mut client) = Client::reach(&state).await.expect("ours") {
            client.shutdown().await.expect("it ends");
        }
    };
    let supervisor = supervise_in(state.clone(), "test");
    let both = async { tokio::join!(supervisor, test).0 };
    tokio::time::timeout(PATIENCE, both).await.expect("in time").expect("it ends in order");
    assert!(has_ended_in_order(&state.supervisor_anchor()), "the next command searches nothing");
    assert!(!state.socket().exists() && leftovers::find(&state).expect("readable").is_empty());
}

async fn client(state: &StateDirectory) -> Client {
    Client::reach(state).await.expect("ours").expect("it runs")
}

async fn eventually(client: &mut Client, unit: &str, is_so: impl Fn(&ObservedUnit) -> bool) -> ObservedUnit {
    let begin = Instant::now();
    loop {
        let seen = client.observe().await.expect("answers").into_iter().find(|seen| seen.name == unit);
        match seen.filter(&is_so) {
            Some(seen) => return seen,
            None => assert!(begin.elapsed() < PATIENCE, "{unit} does not come to it"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a line of the unit's log, which a thread of its own writes, contains `text`.
async fn logged(client: &mut Client, state: &StateDirectory, unit: &str, text: &str) -> ObservedUnit {
    let told = |_: &ObservedUnit| last_lines(&state.log(unit), 20).iter().any(|line| line.contains(text));
    eventually(client, unit, told).await
}

/// A script that lasts until the file exists.
fn until(file: &Utf8Path) -> String {
    format!("while ! test -e {file}; do sleep 0.01; done")
}

fn is_ready(unit: &ObservedUnit) -> bool {
    matches!(unit.state, UnitState::Ready { .. })
}

#[tokio::test]
async fn a_unit_lives_its_life() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        let spec = unit("api", "echo $GREETING; exec sleep 60");
        client.start(spec.clone()).await.expect("taken");
        let ready = client.await_ready("api").await.expect("known");
        assert!(is_ready(&ready) && ready.config_hash == spec.config_hash(), "{ready:?}");
        assert!(is_held(&state.unit_lock("api")).expect("readable"), "the process inherited its lock");
        logged(&mut client, state, "api", "hello").await;
        client.kill("api").await.expect("known");
        let again = eventually(&mut client, "api", |unit| is_ready(unit) && unit.restarts == 1).await;
        assert_ne!(again.state, ready.state, "another process");
        client.stop("api").await.expect("known");
        let stopped = eventually(&mut client, "api", |_| true).await;
        assert_eq!(stopped.state, UnitState::Stopped { exit: Some(Exit::Signal(15)) });
        assert!(!is_held(&state.unit_lock("api")).expect("readable"), "nothing is left of it");
        client.start_again("api").await.expect("known");
        assert!(is_ready(&client.await_ready("api").await.expect("known")));
        client.remove("api").await.expect("known");
        assert!(client.observe().await.expect("answers").is_empty());
    })
    .await;
}

/// Answers every request with 200, and keeps the start of the process that each asked about.
async fn answerer() -> (Probe, Arc<Mutex<Vec<Option<u64>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let told: Arc<Mutex<Vec<Option<u64>>>> = Arc::default();
    let own = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let started = head.lines().find_map(|line| line.strip_prefix("devenv-process-started: "));
            own.lock().expect("not poisoned").push(started.and_then(|time| time.trim().parse().ok()));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    (Probe::Elsewhere { url }, told)
}

#[tokio::test]
async fn a_program_that_answers_for_a_unit_learns_the_start_of_each_process() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        let (probe, told) = answerer().await;
        let last = || told.lock().expect("not poisoned").iter().flatten().last().copied();
        let before = clock::monotonic();
        client.start(UnitSpec { probe, ..unit("api", "exec sleep 60") }).await.expect("taken");
        client.await_ready("api").await.expect("known");
        let first = last().expect("the first probe tells it");
        assert!((before..=clock::monotonic()).contains(&first), "{first} after {before}");
        client.kill("api").await.expect("known");
        eventually(&mut client, "api", |unit| is_ready(unit) && unit.restarts == 1).await;
        assert!(last().expect("told") > first, "another process");
    })
    .await;
}

#[tokio::test]
async fn a_unit_that_ends_before_it_was_ready_has_failed_and_is_not_tried_again() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        client.start(unit("api", "echo last words; exit 64")).await.expect("taken");
        let failed = client.await_ready("api").await.expect("known");
        assert!(matches!(&failed.state, UnitState::Failed { error } if error.contains("exit code 64")), "{failed:?}");
        logged(&mut client, state, "api", "last words").await;
        client.start(UnitSpec { command: vec!["/nonexistent".to_owned()], ..unit("other", "") }).await.expect("taken");
        let failed = client.await_ready("other").await.expect("known");
        assert!(matches!(&failed.state, UnitState::Failed { error } if error.contains("/nonexistent")), "{failed:?}");
    })
    .await;
}

#[tokio::test]
async fn a_unit_that_does_not_heed_sigterm_is_killed_with_its_children() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        let stubborn = "trap '' TERM; (trap '' TERM; sleep 60) & sleep 60";
        let spec = UnitSpec { stop_grace_period: Duration::from_millis(50), ..unit("api", stubborn) };
        client.start(spec).await.expect("taken");
        client.await_ready("api").await.expect("known");
        client.stop("api").await.expect("known");
        assert!(!is_held(&state.unit_lock("api")).expect("readable"));
    })
    .await;
}

#[tokio::test]
async fn an_unknown_unit_is_refused_and_the_connection_goes_on() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        for refused in [
            client.stop("api").await,
            client.kill("api").await,
            client.start_again("api").await,
            client.await_ready("api").await.map(drop),
        ] {
            assert!(matches!(refused, Err(Error::Refused { reason }) if reason.contains("no unit api")));
        }
        assert!(client.observe().await.expect("answers").is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_environment_ends_with_its_owner_unless_it_is_detached() {
    beside_a_supervisor(async |state| {
        let mut owner = client(state).await;
        owner.own().await.expect("nobody else");
        owner.start(unit("api", "exec sleep 60")).await.expect("taken");
        owner.detach().await.expect("it lives on");
        drop(owner);
        let mut other = client(state).await;
        assert!(is_ready(&other.await_ready("api").await.expect("known")));
    })
    .await;
    beside_a_supervisor(async |state| {
        let mut owner = client(state).await;
        owner.own().await.expect("nobody else");
        owner.start(unit("api", "exec sleep 60")).await.expect("taken");
        owner.await_ready("api").await.expect("known");
        drop(owner);
        let begin = Instant::now();
        while is_held(&state.unit_lock("api")).expect("readable") {
            assert!(begin.elapsed() < PATIENCE, "it outlives its owner");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// A command that cannot find the supervisor's files asks it, and no other process, to make them again.
#[tokio::test]
async fn files_that_were_removed_come_back() {
    beside_a_supervisor(async |state| {
        let mut first = client(state).await;
        first.start(unit("api", "exec sleep 60")).await.expect("taken");
        let before = first.await_ready("api").await.expect("known");
        for removed in [state.path().to_owned(), state.runtime().path(), state.socket(), state.supervisor_lock()] {
            std::fs::remove_dir_all(&removed).or_else(|_| std::fs::remove_file(&removed)).expect("writable");
            // As a new command sees it, without an earlier search.
            let root = state.runtime().path().parent().expect("its root").to_owned();
            let state = StateDirectory::within(state.path(), &[root]);
            restore_files(&state).await.expect("it answers the call");
            let mut second = client(&state).await;
            assert_eq!(second.await_ready("api").await.expect("known").state, before.state, "the same process");
            assert!(state.link().exists() && state.socket().exists(), "after the removal of {removed}");
        }
    })
    .await;
}

#[tokio::test]
async fn where_no_supervisor_runs_there_is_none() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let state = StateDirectory::within(&path.join(".devenv"), &[path.join("run")]);
    assert!(Client::reach(&state).await.expect("nothing to refuse").is_none());
    restore_files(&state).await.expect("nothing is lost");
}

/// A cleaner of `/tmp` took the runtime directory, then the supervisor was killed: only a search finds its processes, which hold
/// locks without names.
#[tokio::test]
async fn processes_whose_locks_were_cleaned_away_are_searched_for_after_a_crash_only() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let new = || StateDirectory::within(&path.join(".devenv"), &[path.join("run")]);
    let state = new();
    state.prepare().expect("writable");
    let held = take_for_child(&state.unit_lock("api")).expect("nobody else has it");
    let mut left = std::process::Command::new("sleep").arg("60").stdin(held).spawn().expect("sleep is there");
    std::fs::remove_dir_all(state.runtime().path()).expect("it is there");
    std::fs::write(state.supervisor_anchor(), "").expect("writable");
    assert!(leftovers::find(&new()).expect("readable").is_empty(), "the last supervisor ended in order");
    std::fs::write(state.supervisor_anchor(), "4711").expect("writable");
    let state = new();
    let found = leftovers::find(&state).expect("readable");
    assert_eq!(found.iter().map(|left| left.pid).collect::<Vec<_>>(), [left.id()]);
    leftovers::end(&state, "api").await.expect("it ends");
    assert!(left.wait().expect("ours").code().is_none(), "it was ended by a signal");
}

/// Version 0.1.0 kept the locks of units in the state directory.
#[tokio::test]
async fn what_the_previous_version_left_is_found_and_ended() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let state = StateDirectory::within(&path.join(".devenv"), &[path.join("run")]);
    let units = state.path().join("units");
    std::fs::create_dir_all(&units).expect("writable");
    let held = take_for_child(&units.join("api.lock")).expect("nobody else has it");
    let mut left = std::process::Command::new("sleep").arg("60").stdin(held).spawn().expect("sleep is there");
    assert_eq!(leftovers::find(&state).expect("readable").len(), 1);
    leftovers::end(&state, "api").await.expect("it ends");
    assert!(left.wait().expect("ours").code().is_none(), "it was ended by a signal");
}

fn one_shot(name: &str, script: &str) -> UnitSpec {
    UnitSpec { lifetime: Lifetime::OneShot, probe: Probe::Completed, ..unit(name, script) }
}

#[tokio::test]
async fn a_unit_that_runs_once_is_awaited_until_it_ends_and_is_never_restarted() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        let runs = state.path().join("runs");
        let go = state.path().join("go");
        let script = format!("echo run >> {runs}; {}; (setsid sleep 60 &)", until(&go));
        client.start(one_shot("migrate", &script)).await.expect("taken");
        let starting = eventually(&mut client, "migrate", |_| true).await;
        assert!(matches!(starting.state, UnitState::Starting { .. }), "{starting:?}");
        std::fs::write(&go, "").expect("writable");
        assert_eq!(client.await_ready("migrate").await.expect("known").state, UnitState::Completed);
        assert!(!is_held(&state.unit_lock("migrate")).expect("readable"), "its descendants ended with it");
        logged(&mut client, state, "migrate", "migrate completed").await;
        let count = || std::fs::read_to_string(&runs).expect("it ran").lines().count();
        client.stop("migrate").await.expect("known");
        assert_eq!(eventually(&mut client, "migrate", |_| true).await.state, UnitState::Completed, "nothing to stop");
        assert_eq!(count(), 1);
        client.start_again("migrate").await.expect("known");
        assert_eq!(client.await_ready("migrate").await.expect("known").state, UnitState::Completed);
        assert_eq!(count(), 2);
        client.start(one_shot("other", "echo no such column; exit 3")).await.expect("taken");
        let failed = client.await_ready("other").await.expect("known");
        assert_eq!(failed.state, UnitState::Failed { error: "ended with exit code 3".to_owned() });
        logged(&mut client, state, "other", "no such column").await;
        client.start(one_shot("long", "sleep 60")).await.expect("taken");
        client.stop("long").await.expect("known");
        let stopped = eventually(&mut client, "long", |_| true).await;
        assert_eq!(stopped.state, UnitState::Stopped { exit: Some(Exit::Signal(15)) });
    })
    .await;
}

#[tokio::test]
async fn a_unit_whose_policy_is_no_restart_ends_for_good() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        let never = |name: &str, script: &str| UnitSpec {
            lifetime: Lifetime::LongLived { restart: RestartPolicy::No },
            ..unit(name, script)
        };
        let go = state.path().join("go");
        client.start(never("batch", &until(&go))).await.expect("taken");
        client.start(never("other", &format!("{}; exit 4", until(&go)))).await.expect("taken");
        for unit in ["batch", "other"] {
            assert!(is_ready(&client.await_ready(unit).await.expect("known")));
        }
        std::fs::write(&go, "").expect("writable");
        let completed = eventually(&mut client, "batch", |unit| !is_ready(unit)).await;
        assert_eq!((completed.state, completed.restarts), (UnitState::Completed, 0));
        let failed = eventually(&mut client, "other", |unit| !is_ready(unit)).await;
        assert_eq!(failed.state, UnitState::Failed { error: "ended with exit code 4".to_owned() });
        client.start(never("server", "exec sleep 60")).await.expect("taken");
        client.await_ready("server").await.expect("known");
        client.kill("server").await.expect("known");
        let killed = eventually(&mut client, "server", |unit| !is_ready(unit)).await;
        assert_eq!((killed.state, killed.restarts), (UnitState::Failed { error: "ended with signal 9".to_owned() }, 0));
    })
    .await;
}

fn checked(name: &str, script: &str, test: HealthTest, timeout: Duration) -> UnitSpec {
    let second = Duration::from_secs(1);
    let healthcheck = Healthcheck {
        test,
        interval: Duration::from_millis(100),
        timeout,
        retries: 2,
        start_period: Duration::ZERO,
        start_interval: second,
    };
    UnitSpec { probe: Probe::Healthcheck, healthcheck: Some(healthcheck), ..unit(name, script) }
}

#[tokio::test]
async fn a_unit_is_ready_while_its_check_passes_and_no_longer() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        let mark = state.path().join("healthy");
        // The check has the environment and the folder of its unit.
        let check = format!("test $GREETING = hello && test $PWD = / && test -e {mark} || {{ echo no mark; exit 7; }}");
        client.start(checked("api", "exec sleep 60", HealthTest::Shell(check), PATIENCE)).await.expect("taken");
        let told = |text: &str| last_lines(&state.log("api"), 20).iter().any(|line| line.contains(text));
        let starting =
            eventually(&mut client, "api", |_| told("unhealthy after 2 failed checks: exit code 7: no mark")).await;
        assert!(matches!(starting.state, UnitState::Starting { .. }), "{starting:?}");
        std::fs::write(&mark, "").expect("writable");
        assert!(is_ready(&client.await_ready("api").await.expect("known")));
        std::fs::remove_file(&mark).expect("ours");
        eventually(&mut client, "api", |unit| matches!(unit.state, UnitState::Starting { .. })).await;
        std::fs::write(&mark, "").expect("writable");
        let again = eventually(&mut client, "api", is_ready).await;
        assert_eq!(again.restarts, 0, "an unhealthy unit is not restarted");
        assert!(told("api is healthy again"));
        let absent = HealthTest::Command(vec!["/nonexistent".to_owned()]);
        client.start(checked("other", "exec sleep 60", absent, PATIENCE)).await.expect("taken");
        logged(&mut client, state, "other", "cannot start /nonexistent").await;
    })
    .await;
}

#[tokio::test]
async fn no_process_of_a_check_outlives_its_time_or_its_unit() {
    beside_a_supervisor(async |state| {
        let mut client = client(state).await;
        let lock = state.unit_lock("api+check");
        let pids = state.path().join("pids");
        let check = format!("echo $$ >> {pids}; (setsid sleep 60 &); sleep 60 & wait");
        client
            .start(checked("api", "exec sleep 60", HealthTest::Shell(check), Duration::from_secs(1)))
            .await
            .expect("taken");
        logged(&mut client, state, "api", "did not end within").await;
        let begun =
            || std::fs::read_to_string(&pids).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
        assert!(begun().len() >= 2);
        let is_alive = |pid: &String| Path::new("/proc").join(pid).exists();
        let running = is_held(&lock).expect("readable");
        client.stop("api").await.expect("known");
        assert!(!is_held(&lock).expect("readable"), "it was held before: {running}");
        assert!(!begun().iter().any(is_alive), "{:?}", begun());
        client.remove("api").await.expect("known");
    })
    .await;
}
