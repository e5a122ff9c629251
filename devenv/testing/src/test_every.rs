use camino::{Utf8Path, Utf8PathBuf};
use devenv_engine::Error as EngineError;
use devenv_model::manifest::EmulatorKind;
use devenv_runtime::{Cancel, Emitter, Error as RuntimeError, Project, RuntimeRequest};

use crate::error::Error;
use crate::test::{TestOptions, TestReport, test};

/// The result of the tests on one emulator.
#[derive(Debug)]
pub struct Trial {
    pub emulator: EmulatorKind,
    /// The emulator's image; `None` if it is no image.
    pub image: Option<String>,
    pub outcome: TrialOutcome,
}

#[derive(Debug)]
pub enum TrialOutcome {
    Ran(Box<TestReport>),
    /// The emulator cannot run on this machine.
    Skipped {
        why: String,
    },
}

/// Runs the manifest's test command on every emulator, one after another so that none slows another down. The JUnit
/// report of each has the emulator's name before its extension.
pub async fn test_every(
    project: &Project,
    tests: &TestOptions,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<Vec<Trial>, Error> {
    let junit = tests.junit.clone().unwrap_or_else(|| project.state.path().join("junit.xml"));
    let mut trials = Vec::new();
    for emulator in EmulatorKind::ALL {
        let tests = TestOptions {
            request: RuntimeRequest { emulator: Some(emulator), ..tests.request.clone() },
            junit: Some(named(&junit, emulator.name())),
            ..tests.clone()
        };
        let outcome = match test(project, &tests, emitter, cancel).await {
            Ok(report) => TrialOutcome::Ran(Box::new(report)),
            Err(error) if cannot_run_here(&error) => {
                let why = error.to_string();
                emitter.notice(format!("{} is skipped: {why}", emulator.name()));
                TrialOutcome::Skipped { why }
            }
            Err(error) => return Err(error),
        };
        let image = project.manifest.emulator.image(emulator).map(str::to_owned);
        trials.push(Trial { emulator, image, outcome });
    }
    Ok(trials)
}

/// Whether this machine lacks a prerequisite of the emulator; a mistake is not one.
fn cannot_run_here(error: &Error) -> bool {
    let Error::Engine(error) = error else { return false };
    match error {
        EngineError::NeedsEngine { .. }
        | EngineError::NeedsContainers { .. }
        | EngineError::Runtime(
            RuntimeError::NoHost(_) | RuntimeError::NoEmulatorImage { .. } | RuntimeError::ImageAbsent { .. },
        ) => true,
        EngineError::Runtime(error) => error.wants_account(),
        _ => false,
    }
}

/// `junit.xml` becomes `junit-embedded.xml`.
fn named(path: &Utf8Path, name: &str) -> Utf8PathBuf {
    let stem = path.file_stem().unwrap_or("junit");
    path.with_file_name(format!("{stem}-{name}.{}", path.extension().unwrap_or("xml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_has_its_emulators_name() {
        assert_eq!(named(Utf8Path::new("out/junit.xml"), "embedded"), "out/junit-embedded.xml");
        assert_eq!(named(Utf8Path::new("report"), "localstack"), "report-localstack.xml");
    }
}
