use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_engine::{Attachment, UpOptions, environment, log_files, own_emulator, resources, test_environments, up};
use devenv_model::event::Event;
use devenv_model::evidence::Evidence;
use devenv_model::manifest::TestSettings;
use devenv_runtime::{Cancel, Emitter, Error as RuntimeError, Project, ProjectOptions, RuntimeRequest, own_program};

use crate::bundle;
use crate::error::Error;
use crate::evidence::Subject;
use crate::guard::run_guarded;
use crate::junit;
use crate::run::{TestCommand, TestRun};

#[derive(Debug, Clone)]
pub struct TestOptions {
    pub request: RuntimeRequest,
    /// Leaves the environment running after the tests.
    pub keep: bool,
    /// Path of the JUnit report; `.devenv/junit.xml` when `None`.
    pub junit: Option<Utf8PathBuf>,
    /// Arguments to append to the test command's own.
    pub arguments: Vec<String>,
    /// Time limit for the environment to become ready.
    pub timeout: Duration,
}

#[derive(Debug)]
pub struct TestReport {
    pub run: TestRun,
    pub junit: Utf8PathBuf,
    /// Folder of the failure's bundle; `None` after a green run.
    pub bundle: Option<Utf8PathBuf>,
    /// The run's evidence and its file; `None` without containers, outside a repository, or where nothing can be promoted.
    pub evidence: Option<(Utf8PathBuf, Evidence)>,
    /// The state directory of an environment that was kept.
    pub kept: Option<Utf8PathBuf>,
}

/// Runs the manifest's test command in a separate environment with free ports, and removes its data afterwards.
pub async fn test(
    project: &Project,
    test: &TestOptions,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<TestReport, Error> {
    let settings = project.manifest.test.clone().ok_or(Error::NoTests)?;
    project.state.prepare().map_err(RuntimeError::from)?;
    let junit = test.junit.clone().unwrap_or_else(|| project.state.path().join("junit.xml"));
    junit::check(&junit)?;
    test_environments::sweep(project, emitter).await;
    let (folder, _held) = test_environments::create(&project.state.tests())?;
    let isolated = Project::load(&ProjectOptions {
        directory: project.instance.root.clone(),
        compose: project.compose.clone(),
        state_dir: Some(folder.clone()),
        ephemeral: true,
        runtimes: project.runtimes.clone(),
    })?;
    isolated.state.prepare().map_err(RuntimeError::from)?;
    let up_options = UpOptions { request: test.request.clone(), services: Vec::new(), timeout: test.timeout };
    let attachment = match up(&isolated, &up_options, emitter, cancel).await {
        Ok(up) => up.attachment,
        Err(error) => {
            // `up` stops the units that it started, but not after its supervisor was killed.
            test_environments::clear(project, &folder, emitter).await;
            return Err(error.into());
        }
    };
    let attempt = Attempt { project, isolated: &isolated, attachment: &attachment, junit, test };
    let outcome = attempt.run(&settings, emitter, cancel).await;
    if test.keep && outcome.is_ok() {
        let mark = isolated.state.keep_mark();
        std::fs::write(&mark, b"").map_err(|source| RuntimeError::State { path: mark, source })?;
        attachment.detach().await?;
        return outcome.map(|report| TestReport { kept: Some(folder), ..report });
    }
    // In every case, stop the environment before its folder is removed.
    let stopped = attachment.stop(emitter).await;
    test_environments::clear(project, &folder, emitter).await;
    let report = outcome?;
    stopped?;
    Ok(report)
}

/// A run of the tests in a ready environment.
struct Attempt<'a> {
    project: &'a Project,
    isolated: &'a Project,
    attachment: &'a Attachment,
    junit: Utf8PathBuf,
    test: &'a TestOptions,
}

impl Attempt<'_> {
    async fn run(self, settings: &TestSettings, emitter: &Emitter, cancel: &Cancel) -> Result<TestReport, Error> {
        let Self { project, isolated, attachment, junit, test } = self;
        let mut variables = environment(isolated).await?;
        variables.insert("DEVENV_BIN".to_owned(), own_program()?.into_string());
        variables.insert("DEVENV_STATE_DIR".to_owned(), isolated.instance.state_dir.to_string());
        let left = isolated.state.path().join("left");
        std::fs::create_dir_all(&left).map_err(|source| RuntimeError::State { path: left.clone(), source })?;
        let subject = subject(isolated, attachment).await?;
        emitter.emit(Event::TestRunStarted { command: settings.command.clone() });
        let order = TestCommand {
            command: &settings.command,
            arguments: &test.arguments,
            directory: &project.instance.root,
            environment: &variables,
            left: &left,
            lock: None,
            junit: settings.junit.as_deref(),
        };
        let run = run_guarded(&isolated.state, &order, emitter, cancel).await?;
        junit::write(&junit, &run, &project.manifest.name)?;
        let evidence = subject.map(|subject| subject.keep(project, &run, &test.arguments)).transpose()?;
        let bundle = if run.is_green() {
            None
        } else {
            attachment.keep_logs().await;
            let facts = bundle::Facts {
                run: &run,
                logs: log_files(isolated),
                left: &left,
                environment: &variables,
                resources: &resources(isolated).await?,
            };
            Some(bundle::keep(&project.state.failures(), &facts).await?)
        };
        Ok(TestReport { run, junit, bundle, evidence, kept: None })
    }
}

async fn subject(isolated: &Project, attachment: &Attachment) -> Result<Option<Subject>, Error> {
    let is_possible = Subject::is_possible(isolated).await;
    let emulator = own_emulator(isolated).await?;
    // Of an emulator outside the environment nothing is known. A project without AWS has none.
    let is_known = emulator.is_some() || !isolated.manifest.uses_aws;
    // Images of other origin may be too large to read.
    if !is_possible || !is_known {
        return Ok(None);
    }
    let Some(images) = attachment.images().await? else {
        return Ok(None);
    };
    Subject::of(isolated, images, emulator).await
}
