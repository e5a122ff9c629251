use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use devenv_engine::Error as EngineError;
use devenv_model::event::TestOutcome;
use devenv_runtime::{Cancel, Emitter};
use devenv_supervisor::lock::take_for_child;
use rustix::io::FdFlags;
use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};

use crate::collector::{Collected, Collector};
use crate::error::Error;
use crate::pieces::Pieces;
use crate::reports::Reports;
use crate::runners::runner::{MOST_TESTS, TestCase};
use crate::timings::{Timings, VARIABLE};

/// Time between two looks at the harness's file.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Time that a cancelled test command has to end.
const GRACE: Duration = Duration::from_secs(5);
/// Time to keep reading a command's output after the command ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Programs that need a `--` before arguments that are not their own.
const PASS_ON_AFTER_DASHES: [&str; 2] = ["cargo", "npm"];
/// How a run is described whose output no parser understands.
const EXIT_CODE: &str = "exit code";

/// A test command and where it runs.
#[derive(Debug, Clone, Copy)]
pub struct TestCommand<'a> {
    pub command: &'a [String],
    /// Arguments to append to the command's own.
    pub arguments: &'a [String],
    pub directory: &'a Utf8Path,
    /// Environment variables to add to the caller's.
    pub environment: &'a BTreeMap<String, String>,
    /// An existing folder for the files of failing tests.
    pub left: &'a Utf8Path,
    /// A file that the command's processes keep locked for as long as they live: if this process is killed, the next one
    /// finds them by the lock.
    pub lock: Option<&'a Utf8Path>,
    /// The JUnit files that the command writes: a pattern below `directory`.
    pub junit: Option<&'a str>,
}

/// The result of a test command.
#[derive(Debug, Clone)]
pub struct TestRun {
    pub tests: Vec<TestCase>,
    /// Whether a filter left tests out.
    pub filtered: bool,
    /// Time until the first test begins, in which Cargo compiles. Zero for other commands.
    pub preparation: Duration,
    /// Duration of the tests.
    pub elapsed: Duration,
    /// Why the run is red although no test is, such as a compile error.
    pub failure: Option<String>,
    /// The last lines that the command wrote.
    pub output: Vec<String>,
    /// Where the results come from: the names of the test runners whose output was understood, `junit`, or `exit code`.
    pub results_from: Vec<String>,
    /// Whether the output was passed on to the person as it came.
    pub passed_on: bool,
}

impl TestRun {
    pub fn count(&self, outcome: TestOutcome) -> usize {
        self.tests.iter().filter(|test| test.outcome == outcome).count()
    }

    /// Whether nothing but the exit code is known: the command counts as one test.
    pub fn is_exit_code_alone(&self) -> bool {
        self.results_from == [EXIT_CODE]
    }

    /// At least one test ran, none failed, and the command itself ended well.
    pub fn is_green(&self) -> bool {
        self.failure.is_none() && self.count(TestOutcome::Failed) == 0 && self.count(TestOutcome::Passed) > 0
    }
}

/// Runs the command to its end. A red run is a result; an error means that no run took place.
pub async fn run(order: &TestCommand<'_>, emitter: &Emitter, cancel: &Cancel) -> Result<TestRun, Error> {
    let began = Instant::now();
    let told = order.left.join("events.jsonl");
    let reports = order.junit.map(|pattern| Reports::before(order.directory, pattern));
    let mut child = start(order, &told)?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let (mut out, mut err) = (Pieces::new(stdout), Pieces::new(stderr));
    let (mut more_out, mut more_err) = (true, true);
    let passes_on = !is_cargo(order.command);
    let mut collector = Collector::new(Timings::new(told), passes_on, emitter);
    let mut look = tokio::time::interval(LOOK_EVERY);
    let group = child.id();
    let mut ended = None;
    let last_words = tokio::time::sleep(LAST_WORDS);
    tokio::pin!(last_words);
    while more_out || more_err {
        tokio::select! {
            status = child.wait(), if ended.is_none() => {
                ended = Some(status.map_err(Error::Read)?);
                last_words.as_mut().reset(tokio::time::Instant::now() + LAST_WORDS);
            }
            // A background process of the command may keep the pipe open for ever.
            () = &mut last_words, if ended.is_some() => break,
            piece = out.next(), if more_out => match piece.map_err(Error::Read)? {
                Some(piece) => collector.piece(piece),
                None => more_out = false,
            },
            piece = err.next(), if more_err => match piece.map_err(Error::Read)? {
                Some(piece) => collector.piece(piece),
                None => more_err = false,
            },
            _ = look.tick() => collector.look(),
            () = cancel.cancelled() => {
                end(&mut child).await;
                return Err(EngineError::Cancelled.into());
            }
        }
    }
    let status = match ended {
        Some(status) => status,
        None => child.wait().await.map_err(Error::Read)?,
    };
    if let Some(group) = group.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let collected = collector.finish();
    let reports = reports.map(|reports| reports.read());
    Ok(TestRun { passed_on: passes_on, ..judged(order, collected, reports, status, began) })
}

/// Cargo compiles for most of a run, and the names of Rust's tests stand in its output: devenv shows these in its place.
fn is_cargo(command: &[String]) -> bool {
    command.first().is_some_and(|program| Utf8Path::new(program).file_name() == Some("cargo"))
}

fn start(order: &TestCommand<'_>, told: &Utf8Path) -> Result<Child, Error> {
    let (program, arguments) = order.command.split_first().map_or(("", &[][..]), |(program, rest)| (program, rest));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(order.directory)
        .envs(order.environment)
        .env_remove("AWS_PROFILE")
        .env(VARIABLE, told)
        .env("DEVENV_TEST_BUNDLE", order.left)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    // Arguments after `--` in `devenv test -- ...` are for the test runner; Cargo and npm need a second `--` to pass them on.
    if !order.arguments.is_empty() {
        let needs_dashes = PASS_ON_AFTER_DASHES.iter().any(|name| program.ends_with(name));
        if needs_dashes && !arguments.iter().any(|argument| argument == "--") {
            command.arg("--");
        }
        command.args(order.arguments);
    }
    let failed = |source| Error::Start { program: program.to_owned(), source };
    let lock = order.lock.map(take_for_child).transpose().map_err(failed)?;
    // Start no other process before the end of this function: it would inherit the lock too. Our own copy is closed there.
    if let Some(lock) = &lock {
        rustix::io::fcntl_setfd(lock, FdFlags::empty()).map_err(|error| failed(error.into()))?;
    }
    command.spawn().map_err(failed)
}

/// Sends SIGINT to the whole group, as Ctrl-C does, then SIGKILL.
async fn end(child: &mut Child) {
    let group = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let Some(group) = group else { return };
    let _ = rustix::process::kill_process_group(group, Signal::INT);
    let _ = tokio::time::timeout(GRACE, child.wait()).await;
    // Even if the command has ended: a member of its group may have ignored the first signal.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
    let _ = child.wait().await;
}

/// Joins the results with the exit code. Neither is believed alone: a command that fails is red whatever it printed, and a failed
/// test is red whatever the command returned.
fn judged(
    order: &TestCommand<'_>,
    collected: Collected,
    reports: Option<Result<Vec<TestCase>, String>>,
    status: ExitStatus,
    began: Instant,
) -> TestRun {
    let Collected { runners, results, output, first_test } = collected;
    let first_test = first_test.unwrap_or(began);
    let (preparation, elapsed) = (first_test - began, first_test.elapsed());
    let mut results_from: Vec<String> = runners.into_iter().map(str::to_owned).collect();
    let mut tests = results.tests;
    let mut distrust = results.too_many.then(|| format!("the test command reported more than {MOST_TESTS} tests"));
    match reports {
        Some(Ok(reported)) => {
            (tests, results_from, distrust) = (reported, vec!["junit".to_owned()], None);
        }
        Some(Err(why)) => distrust = Some(why),
        None => {}
    }
    if results_from.is_empty() {
        results_from.push(EXIT_CODE.to_owned());
        let outcome = if status.success() { TestOutcome::Passed } else { TestOutcome::Failed };
        let failure = (!status.success()).then(|| output.join("\n"));
        let case = TestCase::new(order.command.join(" "), outcome);
        tests.push(TestCase { seconds: Some(elapsed.as_secs_f64()), failure, ..case });
    }
    let failed = tests.iter().any(|test| test.outcome == TestOutcome::Failed);
    let ran = tests.iter().any(|test| test.outcome != TestOutcome::Ignored);
    let failure = if !status.success() && !failed {
        Some(format!("the test command ended with {status}"))
    } else if distrust.is_some() {
        distrust
    } else if !ran {
        Some("no test ran: the filter matches none".to_owned())
    } else {
        None
    };
    let filtered = results.filtered;
    TestRun { tests, filtered, preparation, elapsed, failure, output, results_from, passed_on: false }
}

#[cfg(test)]
mod tests {
    use devenv_model::event::Event;

    use super::*;

    static NO_VARIABLES: BTreeMap<String, String> = BTreeMap::new();

    fn order<'a>(command: &'a [String], directory: &'a Utf8Path) -> TestCommand<'a> {
        TestCommand {
            command,
            arguments: &[],
            directory,
            environment: &NO_VARIABLES,
            left: directory,
            lock: None,
            junit: None,
        }
    }

    async fn shell(script: &str) -> TestRun {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let command = ["sh", "-c", script].map(str::to_owned);
        let order = order(&command, directory);
        let (emitter, _events) = Emitter::channel();
        run(&order, &emitter, &Cancel::channel().1).await.expect("it takes place")
    }

    #[tokio::test]
    async fn any_command_is_one_test() {
        let green = shell("echo fine").await;
        assert!(green.is_green() && green.is_exit_code_alone());
        assert_eq!(green.tests.len(), 1);
        let red = shell("echo bad >&2; exit 3").await;
        assert!(!red.is_green());
        assert_eq!(red.tests[0].failure.as_deref(), Some("bad"));
    }

    #[tokio::test]
    async fn a_harness_is_read_test_by_test_with_its_times() {
        let script = "printf '{\"event\":\"started\",\"test\":\"a\"}\\n{\"event\":\"finished\",\"test\":\"a\",\"seconds\":0.5}\\n' > \"$DEVENV_TEST_EVENTS\"
            echo 'running 2 tests'; echo 'test a ... ok'; echo 'test b ... FAILED'; echo '---- b stdout ----'; echo why; exit 101";
        let run = shell(script).await;
        assert_eq!(run.tests.len(), 2);
        assert_eq!(run.tests[0].seconds, Some(0.5));
        assert_eq!(run.tests[1].failure.as_deref(), Some("why"));
        assert_eq!(run.failure, None);
    }

    #[tokio::test]
    async fn neither_the_output_nor_the_exit_code_is_believed_alone() {
        let claims = shell("echo '=== 2 passed in 0.01s ==='; exit 1").await;
        assert_eq!(claims.count(TestOutcome::Passed), 2);
        assert!(!claims.is_green());
        assert!(claims.failure.expect("a reason").contains("exit status: 1"));
        let denies = shell("echo '=== 1 failed, 2 passed in 0.01s ==='").await;
        assert!(!denies.is_green());
        let none = shell("echo '=== no tests ran in 0.01s ==='").await;
        assert!(!none.is_green());
        let skipped = shell("echo '=== 3 skipped in 0.01s ==='").await;
        assert!(!skipped.is_green());
    }

    #[tokio::test]
    async fn the_results_of_several_runners_are_added() {
        let run = shell(
            "echo 'running 1 test'; echo 'test a ... ok'; printf 'ok  \\tshop/orders\\t0.1s\\n'; echo '== 1 passed in 0.01s =='",
        )
        .await;
        assert_eq!(run.results_from, ["libtest", "pytest", "go test"]);
        assert_eq!(run.count(TestOutcome::Passed), 3);
        assert!(run.is_green());
    }

    #[tokio::test]
    async fn reports_count_in_place_of_the_output() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let (emitter, _events) = Emitter::channel();
        let of = async |script: &str| {
            let command = ["sh", "-c", script].map(str::to_owned);
            let order = TestCommand { junit: Some("out/*.xml"), ..order(&command, directory) };
            run(&order, &emitter, &Cancel::never()).await.expect("it takes place")
        };
        let write = "mkdir -p out; echo '<testsuite><testcase name=\"a\" time=\"0.5\"/></testsuite>' > out/a.xml";
        let green = of(&format!("{write}; echo '== 7 passed in 0.01s =='")).await;
        assert!(green.is_green(), "{:?}", green.failure);
        assert_eq!((green.tests.len(), green.tests[0].seconds), (1, Some(0.5)));
        assert_eq!(green.results_from, ["junit"]);
        let none = of("echo '== 7 passed in 0.01s =='").await;
        assert!(none.failure.expect("a reason").contains("of an earlier run"));
        let red = of(&format!("{write}; exit 2")).await;
        assert!(red.failure.expect("a reason").contains("exit status: 2"));
        let broken = of("echo '<testsuite>' > out/a.xml").await;
        assert!(broken.failure.expect("a reason").contains("out/a.xml"));
    }

    #[tokio::test]
    async fn output_is_passed_on_byte_by_byte() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let script = "printf '\\033[31mred\\377\\r\\n'; head -c 200000 /dev/zero | tr '\\0' x; printf 'end'";
        let command = ["sh", "-c", script].map(str::to_owned);
        let (emitter, mut events) = Emitter::channel();
        let run = run(&order(&command, directory), &emitter, &Cancel::never()).await.expect("it takes place");
        drop(emitter);
        let mut bytes = Vec::new();
        while let Some(event) = events.recv().await {
            if let Event::TestOutput { passed_on: Some(part), .. } = event {
                bytes.extend(part);
            }
        }
        let expected = [b"\x1b[31mred\xff\r\n".as_slice(), &vec![b'x'; 200_000], b"end\n"].concat();
        assert!(bytes == expected, "{} bytes", bytes.len());
        assert_eq!(run.output[0], "red\u{fffd}");
    }

    #[tokio::test]
    async fn the_time_of_the_compilation_is_told_from_that_of_the_tests() {
        let run = shell("sleep 0.3; echo 'running 1 test'; echo 'test a ... ok'").await;
        assert!(run.preparation >= Duration::from_millis(300), "{:?}", run.preparation);
        let one = shell("sleep 0.3").await;
        assert_eq!(one.preparation, Duration::ZERO);
        assert!(one.elapsed >= Duration::from_millis(300), "{:?}", one.elapsed);
    }

    #[tokio::test]
    async fn a_run_without_a_test_is_red() {
        let run = shell(
            "echo 'running 0 tests'; echo 'test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out'",
        )
        .await;
        assert!(!run.is_green());
        assert!(run.filtered);
        assert!(run.failure.expect("a reason").contains("no test ran"));
    }

    #[tokio::test]
    async fn output_that_is_not_text_does_not_end_the_run() {
        let run = shell("echo 'running 1 test'; printf '\\377\\n'; echo 'test a ... ok'").await;
        assert!(run.is_green(), "{:?}", run.failure);
        assert_eq!(run.output[1], "\u{fffd}");
    }

    #[tokio::test]
    async fn uncaptured_output_within_a_result_is_not_taken_for_no_test() {
        let run = shell(
            "echo 'running 1 test'; echo 'test a ... hello'; echo ok; \
             echo 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s'",
        )
        .await;
        assert!(run.is_green(), "{:?}", run.failure);
        assert_eq!(run.tests[0].name, "a");
    }

    #[tokio::test]
    async fn a_command_that_fails_after_green_tests_is_red() {
        let run = shell("echo 'running 1 test'; echo 'test a ... ok'; exit 4").await;
        assert!(!run.is_green());
        assert!(run.failure.expect("a reason").contains('4'));
    }

    #[tokio::test]
    async fn what_a_command_leaves_in_the_background_does_not_hold_the_run() {
        let began = Instant::now();
        let run = shell("sleep 60 & echo done").await;
        assert!(run.is_green());
        assert!(began.elapsed() < Duration::from_secs(30), "the background job would last for a minute");
    }

    #[tokio::test]
    async fn the_command_and_what_it_starts_hold_the_lock_and_nobody_else() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let lock = directory.join("lock");
        let command = ["sh", "-c", "touch begun; sh -c 'while ! test -e end; do sleep 0.01; done'"].map(str::to_owned);
        let order = TestCommand { lock: Some(&lock), ..order(&command, directory) };
        let (emitter, _events) = Emitter::channel();
        let looking = async {
            while !directory.join("begun").exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let held = devenv_supervisor::lock::is_held(&lock).expect("readable");
            std::fs::write(directory.join("end"), "").expect("writable");
            held
        };
        let cancel = Cancel::never();
        let (run, held) = tokio::join!(run(&order, &emitter, &cancel), looking);
        assert!(held && run.expect("it takes place").is_green());
        // A command that another test started at the same moment may have inherited the lock; devenv itself runs one at a time.
        let deadline = Instant::now() + Duration::from_secs(20);
        while devenv_supervisor::lock::is_held(&lock).expect("readable") {
            assert!(Instant::now() < deadline, "somebody else holds it");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_cancelled_run_takes_its_children_along() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let command = ["sh", "-c", "sleep 100 & echo $! > pid; wait"].map(str::to_owned);
        let order = order(&command, directory);
        let (emitter, _events) = Emitter::channel();
        let (canceller, cancel) = Cancel::channel();
        let pid_file = directory.join("pid");
        let cancelling = async {
            while std::fs::read_to_string(&pid_file).map_or(true, |text| text.is_empty()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            canceller.cancel();
        };
        let (outcome, ()) = tokio::join!(run(&order, &emitter, &cancel), cancelling);
        assert!(matches!(outcome, Err(Error::Engine(EngineError::Cancelled))));
        let pid = std::fs::read_to_string(&pid_file).expect("written");
        let stat = format!("/proc/{}/stat", pid.trim());
        // A background job of a shell without job control ignores SIGINT; only SIGKILL ends it.
        let ended = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(" Z "));
        let deadline = Instant::now() + Duration::from_secs(5);
        while !ended() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(ended(), "the background job is still there");
    }
}
