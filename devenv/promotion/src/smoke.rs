//! Checks a live release from outside: first which image answers, then the smoke tests.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use devenv_engine::{Cancel, Emitter};
use devenv_model::event::{Event, TestOutcome};
use devenv_model::promotion::record::Release;
use devenv_supervisor::state_directory::StateDirectory;
use devenv_testing::guard::run_guarded;
use devenv_testing::run::{TestCommand, TestRun};

use crate::context::PromotionContext;
use crate::error::Error;
use crate::release_probe::ReleaseProbe;

/// The variable that gives the smoke tests the release's URL.
const VARIABLE: &str = "RELEASE_URL";
/// A load balancer takes a moment to register its targets.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);
/// The number of consecutive answers that the new release must give.
const IN_A_ROW: usize = 5;
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn smoke(
    context: &PromotionContext<'_>,
    url: &str,
    release: &Release,
    cancel: &Cancel,
) -> Result<(), Error> {
    shows(context.tools.probe.as_ref(), url, release, &|line| context.progress(line), cancel).await?;
    let Some(command) = context.project.manifest.test.as_ref().and_then(|test| test.smoke.as_ref()) else {
        return Ok(());
    };
    let state = StateDirectory::new(&context.project.state.promotion(context.name()));
    let run = run_tests(command, url, &context.project.instance.root, &state, context.emitter, cancel).await?;
    if run.is_green() {
        return Ok(());
    }
    let mut failed: Vec<String> = Vec::new();
    let mut output = Vec::new();
    for test in run.tests.iter().filter(|test| test.outcome == TestOutcome::Failed) {
        failed.push(test.name.clone());
        output.extend(test.failure.iter().flat_map(|text| text.lines()).map(str::to_owned));
    }
    if failed.is_empty() {
        failed.push(run.failure.unwrap_or_else(|| "no test ran".to_owned()));
        output.extend(run.output.into_iter().rev().take(20).rev());
    }
    Err(Error::Smoke { failed, output })
}

/// In the target's own state directory, which no other promotion uses meanwhile: the environment's is for `up` and `down`,
/// which end the commands that they find there.
async fn run_tests(
    command: &[String],
    url: &str,
    directory: &Utf8Path,
    state: &StateDirectory,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<TestRun, Error> {
    let left = state.path().join("left");
    std::fs::create_dir_all(&left).map_err(|source| devenv_engine::Error::State { path: left.clone(), source })?;
    let environment: BTreeMap<String, String> = [(VARIABLE.to_owned(), url.to_owned())].into();
    emitter.emit(Event::TestRunStarted { command: command.to_vec() });
    let order = TestCommand {
        command,
        arguments: &[],
        directory,
        environment: &environment,
        left: &left,
        lock: None,
        junit: None,
    };
    Ok(run_guarded(state, &order, emitter, cancel).await?)
}

/// Waits until only the release answers. `/version` reports the image that the service runs.
async fn shows(
    probe: &dyn ReleaseProbe,
    url: &str,
    release: &Release,
    tell: &(dyn Fn(String) + Send + Sync),
    cancel: &Cancel,
) -> Result<(), Error> {
    let address = format!("{url}/version");
    let other = |found: String| {
        let wanted = release.images.values().map(|image| image.reference.clone()).collect::<Vec<_>>().join(" or ");
        Error::OtherVersion { url: address.clone(), wanted, found }
    };
    let deadline = tokio::time::Instant::now() + SHOWN_WITHIN;
    let (mut in_a_row, mut told) = (0, String::new());
    loop {
        let found = tokio::select! {
            found = probe.image(url) => found,
            () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
        };
        let is_ours = |image: &String| release.images.values().any(|ours| *image == ours.reference);
        in_a_row = if found.as_ref().is_ok_and(is_ours) { in_a_row + 1 } else { 0 };
        if in_a_row == IN_A_ROW {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(other(found.unwrap_or_else(|error| error)));
        }
        if in_a_row > 0 {
            continue;
        }
        let found = found.unwrap_or_else(|error| error);
        if found != told {
            tell(format!("{address}: {found}"));
            told = found;
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use devenv_supervisor::leftovers;

    use super::*;

    /// The lock by which a guard finds them after a `kill -9` of the promotion.
    #[tokio::test]
    async fn the_smoke_tests_hold_the_lock_of_their_target() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let state = StateDirectory::within(&directory.join("promote/dev"), &[directory.join("run")]);
        let script = "touch begun; while ! test -e end; do sleep 0.01; done; test \"$RELEASE_URL\" = http://release";
        let command = ["sh", "-c", script].map(str::to_owned);
        let (emitter, _events) = Emitter::channel();
        let cancel = Cancel::never();
        let looking = async {
            while !directory.join("begun").exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let found = leftovers::find(&state).expect("readable");
            std::fs::write(directory.join("end"), "").expect("writable");
            found
        };
        let running = run_tests(&command, "http://release", directory, &state, &emitter, &cancel);
        let (run, found) = tokio::join!(running, looking);
        assert!(run.expect("it takes place").is_green());
        assert!(!found.is_empty(), "nobody would find them");
    }
}
