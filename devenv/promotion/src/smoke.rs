//! Asks what was made live, as its clients do: first who answers, then the tests that are safe for everybody.

use std::collections::BTreeMap;
use std::time::Duration;

use devenv_engine::Cancel;
use devenv_model::event::{Event, TestOutcome};
use devenv_model::promotion::record::Release;
use devenv_testing::run::{TestCommand, run};

use crate::context::PromotionContext;
use crate::error::Error;
use crate::release_probe::ReleaseProbe;

/// Where the smoke tests find the release.
const VARIABLE: &str = "RELEASE_URL";
/// A load balancer takes a moment to know its targets.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);
/// So often in a row the new release must answer.
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
    let left = context.project.state.promotion(context.name()).join("left");
    std::fs::create_dir_all(&left).map_err(|source| devenv_engine::Error::State { path: left.clone(), source })?;
    let environment: BTreeMap<String, String> = [(VARIABLE.to_owned(), url.to_owned())].into();
    context.emitter.emit(Event::TestRunStarted { command: command.clone() });
    let order = TestCommand {
        command,
        arguments: &[],
        directory: &context.project.instance.root,
        environment: &environment,
        left: &left,
        lock: None,
    };
    let run = run(&order, context.emitter, cancel).await?;
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

/// Until nothing but the release answers for some time. `/version` names the image that the service was given.
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
