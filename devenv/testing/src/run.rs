use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use devenv_engine::{Cancel, Emitter, Error as EngineError};
use devenv_model::event::{Event, TestOutcome};
use devenv_supervisor::lock::take_for_child;
use rustix::io::FdFlags;
use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::error::Error;
use crate::libtest::{Line, Reader};
use crate::timings::{Timings, VARIABLE};

/// Time between two looks at the harness's file.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Time that a cancelled test command has to end.
const GRACE: Duration = Duration::from_secs(5);
/// Time to keep reading a command's output after the command ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Lines of output that a run keeps.
const OUTPUT_KEPT: usize = 5000;

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
}

/// The result of a test command.
#[derive(Debug, Clone)]
pub struct TestRun {
    pub tests: Vec<TestCase>,
    /// Whether a filter left tests out.
    pub filtered: bool,
    /// Time until the first test begins, in which Cargo compiles. Zero for a command that counts as one test.
    pub preparation: Duration,
    /// Duration of the tests.
    pub elapsed: Duration,
    /// Why the run is red although no test is, such as a compile error.
    pub failure: Option<String>,
    /// The last lines that the command wrote.
    pub output: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct TestCase {
    pub name: String,
    pub outcome: TestOutcome,
    pub seconds: Option<f64>,
    /// Output of the test, if it failed.
    pub failure: Option<String>,
}

impl TestRun {
    pub fn count(&self, outcome: TestOutcome) -> usize {
        self.tests.iter().filter(|test| test.outcome == outcome).count()
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
    let mut child = start(order, &told)?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let (mut out, mut err) = (BufReader::new(stdout).split(b'\n'), BufReader::new(stderr).split(b'\n'));
    let (mut more_out, mut more_err) = (true, true);
    let mut collector = Collector {
        reader: Reader::default(),
        timings: Timings::new(told),
        tests: Vec::new(),
        output: Vec::new(),
        first_test: None,
        emitter,
    };
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
            line = out.next_segment(), if more_out => match line.map_err(Error::Read)? {
                Some(line) => collector.line(text(&line)),
                None => more_out = false,
            },
            line = err.next_segment(), if more_err => match line.map_err(Error::Read)? {
                Some(line) => collector.line(text(&line)),
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
    collector.look();
    Ok(collector.finish(order, status, began))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Decodes a line; a test may print bytes that are not UTF-8.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
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
    // Arguments after `--` in `devenv test -- ...` are for the harness; Cargo needs a second `--` to pass them on.
    if !order.arguments.is_empty() {
        if program.ends_with("cargo") && !arguments.iter().any(|argument| argument == "--") {
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

struct Collector<'a> {
    reader: Reader,
    timings: Timings,
    tests: Vec<TestCase>,
    output: Vec<String>,
    /// Time of the harness's first line.
    first_test: Option<Instant>,
    emitter: &'a Emitter,
}

impl Collector<'_> {
    fn line(&mut self, line: String) {
        match self.reader.take(&line) {
            Line::Finished { name, outcome } => {
                self.look();
                let seconds = self.timings.seconds.get(&name).copied();
                let elapsed_ms = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map(millis);
                self.emitter.emit(Event::TestFinished { name: name.clone(), outcome, elapsed_ms });
                self.tests.push(TestCase { name, outcome, seconds, failure: None });
            }
            Line::Understood => {}
            Line::Other => self.emitter.emit(Event::TestOutput { line: line.clone() }),
        }
        if self.reader.is_libtest {
            self.first_test.get_or_insert_with(Instant::now);
        }
        self.output.push(line);
        if self.output.len() > OUTPUT_KEPT {
            self.output.remove(0);
        }
    }

    fn look(&mut self) {
        for name in self.timings.news() {
            self.emitter.emit(Event::TestStarted { name });
        }
    }

    fn finish(mut self, order: &TestCommand<'_>, status: ExitStatus, began: Instant) -> TestRun {
        let first_test = self.first_test.unwrap_or(began);
        let (preparation, elapsed) = (first_test - began, first_test.elapsed());
        if !self.reader.is_libtest && self.tests.is_empty() {
            let outcome = if status.success() { TestOutcome::Passed } else { TestOutcome::Failed };
            let failure = (!status.success()).then(|| self.output.join("\n"));
            let name = order.command.join(" ");
            self.tests.push(TestCase { name, outcome, seconds: Some(elapsed.as_secs_f64()), failure });
        }
        for (name, text) in &self.reader.failures {
            if let Some(test) = self.tests.iter_mut().find(|test| test.name == *name) {
                test.failure = Some(text.trim().to_owned());
            }
        }
        let failed = self.tests.iter().any(|test| test.outcome == TestOutcome::Failed);
        let ran = self.tests.iter().any(|test| test.outcome != TestOutcome::Ignored);
        let failure = if !status.success() && !failed {
            Some(format!("the test command ended with {status}"))
        } else if !ran {
            Some("no test ran: the filter matches none".to_owned())
        } else {
            None
        };
        let filtered = self.reader.filtered_out > 0;
        TestRun { tests: self.tests, filtered, preparation, elapsed, failure, output: self.output }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NO_VARIABLES: BTreeMap<String, String> = BTreeMap::new();

    fn order<'a>(command: &'a [String], directory: &'a Utf8Path) -> TestCommand<'a> {
        TestCommand { command, arguments: &[], directory, environment: &NO_VARIABLES, left: directory, lock: None }
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
        assert!(green.is_green());
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
