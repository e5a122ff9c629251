use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::event::Event;
use devenv_model::evidence::Evidence;

use crate::attachment::Attachment;
use crate::choice::{self, ChosenEmulator};
use crate::environment::Running;
use crate::evidence::Subject;
use crate::lock::{LockAttempt, try_hold};
use crate::testing::{TestRun, bundle, junit};
use crate::up::Up;
use crate::{
    Cancel, Emitter, Error, Project, ProjectOptions, UpOptions, Wish, desired, environment, log_reader,
    test_environments, testing, up,
};

#[derive(Debug, Clone)]
pub struct TestOptions {
    pub wish: Wish,
    /// Leaves the environment running after the tests.
    pub keep: bool,
    /// Where the JUnit report goes; `.devenv/junit.xml` when `None`.
    pub junit: Option<Utf8PathBuf>,
    /// Handed to the test command after its own arguments.
    pub arguments: Vec<String>,
    /// For the environment to become ready.
    pub timeout: Duration,
}

#[derive(Debug)]
pub struct TestReport {
    pub run: TestRun,
    pub junit: Utf8PathBuf,
    /// What is known of a failure; absent after a green run.
    pub bundle: Option<Utf8PathBuf>,
    /// What the run proves, and the file that says so; `None` without containers, outside a repository, or without
    /// Terraform.
    pub evidence: Option<(Utf8PathBuf, Evidence)>,
    /// The state directory of an environment that was kept.
    pub kept: Option<Utf8PathBuf>,
}

/// Runs the manifest's test command in an environment of its own, with free ports and data that goes with it.
pub async fn test(
    options: &ProjectOptions,
    test: &TestOptions,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<TestReport, Error> {
    let project = Project::load(options)?;
    let settings = project.manifest.test.clone().ok_or(Error::NoTests)?;
    project.state.prepare()?;
    test_environments::sweep(&project, emitter).await;
    let folder = test_environments::create(&project)?;
    let isolated = Project::load(&ProjectOptions {
        directory: project.instance.root.clone(),
        state_dir: Some(folder.clone()),
        ephemeral: true,
        engines: options.engines.clone(),
        clouds: options.clouds.clone(),
        promotion: options.promotion.clone(),
    })?;
    isolated.state.prepare()?;
    let run_lock = isolated.state.run_lock();
    let held = match try_hold(&run_lock).map_err(|source| Error::State { path: run_lock.clone(), source })? {
        LockAttempt::Held(held) => held,
        LockAttempt::Taken { pid } => return Err(Error::Locked { pid }),
    };
    let outcome = run(&project, &isolated, test, &settings.command, emitter, cancel).await;
    let (report, attachment) = match outcome {
        Ok(done) => done,
        Err(error) => {
            let _ = std::fs::remove_dir_all(&folder);
            return Err(error);
        }
    };
    if test.keep {
        let mark = isolated.state.keep_mark();
        std::fs::write(&mark, b"").map_err(|source| Error::State { path: mark, source })?;
        attachment.detach().await?;
        return Ok(TestReport { kept: Some(folder), ..report });
    }
    attachment.stop(emitter).await?;
    drop(held);
    std::fs::remove_dir_all(&folder).map_err(|source| Error::State { path: folder, source })?;
    Ok(report)
}

async fn run(
    project: &Project,
    isolated: &Project,
    test: &TestOptions,
    command: &[String],
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<(TestReport, Attachment), Error> {
    let up_options = UpOptions { wish: test.wish.clone(), services: Vec::new(), timeout: test.timeout };
    let Up { attachment, .. } = up::up(isolated, &up_options, emitter, cancel).await?;
    let mut variables = environment::environment(isolated).await?;
    variables.insert("DEVENV_BIN".to_owned(), desired::own_program()?.into_string());
    variables.insert("DEVENV_STATE_DIR".to_owned(), isolated.instance.state_dir.to_string());
    let left = isolated.state.path().join("left");
    std::fs::create_dir_all(&left).map_err(|source| Error::State { path: left.clone(), source })?;
    let subject = subject(isolated, &attachment).await?;
    emitter.emit(Event::TestRunStarted { command: command.to_vec() });
    let order = testing::TestCommand {
        command,
        arguments: &test.arguments,
        directory: &project.instance.root,
        environment: &variables,
        left: &left,
    };
    let run = testing::run(&order, emitter, cancel).await;
    let run = match run {
        Ok(run) => run,
        Err(error) => {
            attachment.stop(emitter).await?;
            return Err(error);
        }
    };
    let junit = test.junit.clone().unwrap_or_else(|| project.state.path().join("junit.xml"));
    junit::write(&junit, &run, &project.manifest.name)?;
    let evidence = subject.map(|subject| subject.keep(project, &run, &test.arguments)).transpose()?;
    let bundle = if run.is_green() {
        None
    } else {
        attachment.keep_logs(isolated).await;
        let facts = bundle::Facts {
            run: &run,
            logs: log_reader::log_files(isolated),
            left: &left,
            environment: &variables,
            store: &Running::find(isolated).await?.store(isolated),
            tables: isolated.manifest.tables.iter().map(|table| table.name.as_str()).collect(),
        };
        Some(bundle::keep(&project.state.failures(), &facts).await?)
    };
    Ok((TestReport { run, junit, bundle, evidence, kept: None }, attachment))
}

async fn subject(isolated: &Project, attachment: &Attachment) -> Result<Option<Subject>, Error> {
    let (Some(runtime), ChosenEmulator::Own(emulator)) =
        (attachment.containers(), choice::current(isolated).await?.emulator)
    else {
        return Ok(None);
    };
    Subject::of(isolated, runtime, emulator).await
}
