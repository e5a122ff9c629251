//! Checks a live release from outside: first which image answers, then the smoke tests.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use devenv_model::event::{Event, TestOutcome};
use devenv_model::names::url_variable;
use devenv_rehearsal::roots::SERVICES;
use devenv_rehearsal::services::health_paths;
use devenv_releases::record::Release;
use devenv_runtime::{Cancel, Emitter};
use devenv_supervisor::state_directory::StateDirectory;
use devenv_testing::guard::run_guarded;
use devenv_testing::run::{TestCommand, TestRun};
use serde_json::Value;

use crate::carried;
use crate::context::PromotionContext;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::kept::kept_tree;
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
    delivery: &dyn Delivery,
    release: &Release,
    cancel: &Cancel,
) -> Result<(), Error> {
    let (url, probe) = (delivery.address(), context.tools.probe.as_ref());
    let tell = |line: String| context.progress(line);
    if carried::is_carried(context.project, context.target) {
        // Of the release, not of the checkout: a rollback makes an older one live.
        let tree = kept_tree(&context.ledger, release).await?;
        let services = tree.content(&context.target.terraform.join(SERVICES)).unwrap_or_default();
        for address in healthy(services, delivery.addresses()) {
            Asked { probe, address: &address, wanted: Wanted::Success }.settles(&tell, cancel).await?;
        }
    } else {
        Asked { probe, address: url, wanted: Wanted::Image(release) }.settles(&tell, cancel).await?;
    }
    let Some(command) = context.project.manifest.test.as_ref().and_then(|test| test.smoke.as_ref()) else {
        return Ok(());
    };
    let state = StateDirectory::new(&context.project.state.promotion(context.name()));
    let variables = variables(url, delivery.addresses(), release);
    let run = run_tests(command, &variables, &context.project.instance.root, &state, context.emitter, cancel).await?;
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
    environment: &BTreeMap<String, String>,
    directory: &Utf8Path,
    state: &StateDirectory,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<TestRun, Error> {
    let left = state.path().join("left");
    std::fs::create_dir_all(&left).map_err(|source| devenv_runtime::Error::State { path: left.clone(), source })?;
    emitter.emit(Event::TestRunStarted { command: command.to_vec() });
    let order = TestCommand { command, arguments: &[], directory, environment, left: &left, lock: None, junit: None };
    Ok(run_guarded(state, &order, emitter, cancel).await?)
}

/// The addresses at which the services of a rehearsal are healthy. `services` is the release's file of them.
fn healthy(services: &[u8], addresses: &BTreeMap<String, String>) -> Vec<String> {
    let services: Value = serde_json::from_slice(services).unwrap_or_default();
    let of = |(name, path): (&str, &str)| Some(format!("{}{path}", addresses.get(name)?));
    health_paths(&services).into_iter().filter_map(of).collect()
}

/// The release's URL, and that of each of its services as `devenv test` gives it.
fn variables(url: &str, addresses: &BTreeMap<String, String>, release: &Release) -> BTreeMap<String, String> {
    let released = addresses.iter().filter(|(service, _)| release.images.contains_key(*service));
    let services = released.map(|(service, url)| (url_variable(service), url.clone()));
    services.chain([(VARIABLE.to_owned(), url.to_owned())]).collect()
}

/// A question to the release at an address.
struct Asked<'a> {
    probe: &'a dyn ReleaseProbe,
    address: &'a str,
    wanted: Wanted<'a>,
}

/// The answer that counts.
enum Wanted<'a> {
    /// An image of this release, as `/version` reports it.
    Image(&'a Release),
    Success,
}

impl Asked<'_> {
    /// Waits until only the release answers.
    async fn settles(&self, tell: &(dyn Fn(String) + Send + Sync), cancel: &Cancel) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + SHOWN_WITHIN;
        let (mut in_a_row, mut told) = (0, String::new());
        loop {
            let answer = tokio::select! {
                answer = self.ask() => answer,
                () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
            };
            in_a_row = if answer.is_ok() { in_a_row + 1 } else { 0 };
            if in_a_row == IN_A_ROW {
                return Ok(());
            }
            let found = answer.err();
            if tokio::time::Instant::now() >= deadline {
                return Err(self.other(found.unwrap_or_else(|| "several answers".to_owned())));
            }
            let Some(found) = found else { continue };
            if found != told {
                tell(format!("{}: {found}", self.url()));
                told = found;
            }
            tokio::select! {
                () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// The wrong answer, if it is one.
    async fn ask(&self) -> Result<(), String> {
        match self.wanted {
            Wanted::Success => self.probe.answers(self.address).await,
            Wanted::Image(release) => {
                let found = self.probe.image(self.address).await?;
                let is_ours = release.images.values().any(|image| image.reference == found);
                if is_ours { Ok(()) } else { Err(found) }
            }
        }
    }

    fn url(&self) -> String {
        match self.wanted {
            Wanted::Image(_) => format!("{}/version", self.address),
            Wanted::Success => self.address.to_owned(),
        }
    }

    fn other(&self, found: String) -> Error {
        let wanted = match self.wanted {
            Wanted::Success => "a success".to_owned(),
            Wanted::Image(release) => {
                release.images.values().map(|image| image.reference.clone()).collect::<Vec<_>>().join(" or ")
            }
        };
        Error::OtherVersion { url: self.url(), wanted, found }
    }
}

#[cfg(test)]
mod tests {
    use devenv_releases::record::ReleasedImage;
    use devenv_supervisor::leftovers;

    use super::*;

    fn release_of(service: &str) -> Release {
        let image = ReleasedImage {
            reference: format!("registry/{service}@sha256:1"),
            platform: "linux/amd64".to_owned(),
            tested: "sha256:1".to_owned(),
        };
        let (id, commit, terraform) = ("r000001-aa".to_owned(), "4".repeat(40), "3".repeat(64));
        Release { id, commit, images: [(service.to_owned(), image)].into(), terraform }
    }

    #[test]
    fn a_release_is_asked_at_its_own_health_paths() {
        let services = br#"{ "api": { "health": "/old" }, "web": { "health": null }, "gone": { "health": "/a" } }"#;
        let addresses = ["api", "web"].map(|name| (name.to_owned(), format!("http://{name}"))).into();
        assert_eq!(healthy(services, &addresses), ["http://api/old"]);
    }

    /// The lock by which a guard finds them after a `kill -9` of the promotion.
    #[tokio::test]
    async fn the_smoke_tests_hold_the_lock_of_their_target() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let state = StateDirectory::within(&directory.join("promote/dev"), &[directory.join("run")]);
        let script = "touch begun; while ! test -e end; do sleep 0.01; done; test \"$RELEASE_URL $A_B_URL $GONE_URL\" = \"http://r http://b \"";
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
        let addresses =
            [("a-b", "http://b"), ("gone", "http://gone")].map(|(name, url)| (name.to_owned(), url.to_owned()));
        let variables = variables("http://r", &addresses.into(), &release_of("a-b"));
        let running = run_tests(&command, &variables, directory, &state, &emitter, &cancel);
        let (run, found) = tokio::join!(running, looking);
        assert!(run.expect("it takes place").is_green());
        assert!(!found.is_empty(), "nobody would find them");
    }
}
