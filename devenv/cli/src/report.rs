//! The one place where an error gets its stable code, its exit code and the next command to type.

use camino::Utf8Path;
use devenv_engine::containers::{EngineError, EngineErrorKind, NoEngine};
use devenv_engine::promotion::CloudErrorKind;
use devenv_engine::{Error, promotion, testing};
use devenv_model::gate::{Reason, Refusal};
use devenv_model::manifest::ProblemReport;
use devenv_model::promotion::FormatError;
use devenv_resources::error::Error as ResourceError;
use devenv_supervisor::error::Error as SupervisorError;
use devenv_supervisor::unwritable::{Unwritable, unwritable};
use serde::Serialize;

use crate::exit::Exit;

/// An error as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The last lines of the failed program.
    pub(crate) log: Vec<String>,
    pub(crate) exit_code: u8,
    /// Mistakes in the files, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<ProblemReport>,
}

pub(crate) fn report(error: &Error) -> Report {
    let (code, exit, hint) = describe(error);
    let problems = match error {
        Error::Manifest(error) => error.problems.iter().map(devenv_model::manifest::Problem::report).collect(),
        _ => Vec::new(),
    };
    Report { code, message: error.to_string(), hint, log: error.log().to_vec(), exit_code: exit as u8, problems }
}

pub(crate) fn exit(error: &Error) -> Exit {
    describe(error).1
}

fn describe(error: &Error) -> (&'static str, Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        Error::NoManifest { .. } => {
            ("no_manifest", Exit::ConfigurationInvalid, hint("run it in a project, or name one: devenv -C DIR up"))
        }
        Error::Manifest(_) => {
            ("manifest", Exit::ConfigurationInvalid, hint("mend the file, then: devenv up --dry-run"))
        }
        Error::ReadFile { path, source } if unwritable(path, source) == Unwritable::TooManyFiles => {
            ("too_many_files", Exit::Failed, hint(TOO_MANY_FILES))
        }
        Error::ReadFile { .. } => (
            "read_file",
            Exit::ConfigurationInvalid,
            hint("see that devenv.toml names it rightly and that you may read it"),
        ),
        Error::State { path, source } => ("state", Exit::Failed, Some(state_hint(path, source))),
        Error::StateFormat { .. } => {
            ("state_format", Exit::ConfigurationInvalid, hint("use the newer devenv, or remove .devenv"))
        }
        Error::UnknownService { .. } => ("unknown_service", Exit::Usage, hint("devenv status lists the services")),
        Error::NotAProcess { service } => {
            let text = format!("say how it runs: [services.{service}.process] package = \"...\" in devenv.toml");
            ("not_a_process", Exit::ConfigurationInvalid, Some(text))
        }
        Error::Engine(error) => engine(error),
        Error::NoEngine(none) => ("no_engine", Exit::PrerequisiteMissing, Some(no_engine_hint(none))),
        Error::NeedsContainers { emulator } => {
            let text = format!("devenv up --runtime docker --emulator {emulator}");
            ("needs_containers", Exit::Usage, Some(text))
        }
        Error::NoEmulatorImage { emulator } => {
            let key = if *emulator == "embedded" { "package" } else { "image" };
            let text = format!("add [emulator.{emulator}] {key} = \"...\" to devenv.toml");
            ("no_emulator_image", Exit::ConfigurationInvalid, Some(text))
        }
        Error::OutOfReach { .. } => {
            ("out_of_reach", Exit::Usage, hint("devenv up --runtime process --emulator-url URL"))
        }
        Error::ImageAbsent { image, .. } => ("image_absent", Exit::PrerequisiteMissing, Some(image_hint(image))),
        Error::NoImage { .. } => ("no_image", Exit::Failed, hint("devenv doctor")),
        Error::CargoMissing { .. } => ("cargo_missing", Exit::PrerequisiteMissing, hint("devenv doctor")),
        // Some systems leave it out of their C compiler's package.
        Error::Build { output, .. } if output.iter().any(|line| line.contains("cannot find -lc")) => (
            "no_static_libc",
            Exit::PrerequisiteMissing,
            hint("install the static C library (glibc-static), or: devenv up --build-in-docker"),
        ),
        Error::Build { packages, .. } => {
            ("build", Exit::Failed, Some(format!("cargo build --bin {}", packages.join(" --bin "))))
        }
        Error::NoBinary { .. } => {
            ("no_binary", Exit::ConfigurationInvalid, hint("the package and its binary must have one name"))
        }
        Error::NoFreePort { .. } => ("no_free_port", Exit::Failed, hint("devenv doctor")),
        Error::Template { .. } => ("template", Exit::ConfigurationInvalid, hint("see devenv.schema.json")),
        Error::NotLocal { .. } => {
            ("not_local", Exit::ConfigurationInvalid, hint("set it to \"${emulator}\" in devenv.toml"))
        }
        Error::NoTests => ("no_tests", Exit::ConfigurationInvalid, hint("add [test] command = [...] to devenv.toml")),
        Error::Resource(error) => resource(error),
        Error::Testing(testing::Error::Start { .. }) => {
            ("test_start", Exit::PrerequisiteMissing, hint("see [test] command in devenv.toml"))
        }
        Error::Testing(testing::Error::Write { .. }) => {
            ("test_write", Exit::Failed, hint("name another file: devenv test --junit FILE"))
        }
        Error::Testing(_) => ("testing", Exit::Failed, hint("devenv doctor")),
        error if error.wants_account() => ("account_wanted", Exit::PrerequisiteMissing, Some(account_hint())),
        Error::UnitFailed { unit, .. } => ("unit_failed", Exit::Failed, Some(format!("devenv logs {unit}"))),
        Error::Deadline { unit, .. } => {
            let text = unit.as_ref().map_or_else(|| "devenv logs".to_owned(), |unit| format!("devenv logs {unit}"));
            ("deadline", Exit::NotReadyInTime, Some(format!("{text}, or give it longer: devenv up --timeout 5m")))
        }
        Error::NotRunning { .. } => ("not_running", Exit::Failed, hint("devenv up -d")),
        Error::Locked { .. } => ("locked", Exit::Locked, hint("wait until it has ended, then try again")),
        Error::SupervisorStart { .. } => ("supervisor_start", Exit::Failed, hint("devenv doctor")),
        Error::Supervisor(error) => supervisor(error),
        Error::Promotion(error) => promotion(error),
        Error::Cancelled => ("interrupted", Exit::Interrupted, None),
    }
}

/// Why a command and its supervisor do not come together, and the next command.
fn supervisor(error: &SupervisorError) -> (&'static str, Exit, Option<String>) {
    use SupervisorError as E;
    let hint = |text: &str| Some(text.to_owned());
    match error {
        E::Read { .. } => ("read_file", Exit::Failed, hint("see that you may read it")),
        E::Write { path, source } => ("state", Exit::Failed, Some(state_hint(path, source))),
        E::Locked { .. } => ("locked", Exit::Locked, hint("wait until it has ended, then try again")),
        E::Denied { .. } => {
            let text = format!("run devenv as the user whose environment it is, or have one of your own: {ELSEWHERE}");
            ("permission_denied", Exit::Failed, Some(text))
        }
        E::Version { .. } => {
            ("supervisor_version", Exit::Failed, hint("stop it with the devenv that started it: devenv down"))
        }
        E::Lost { .. } => ("supervisor_lost", Exit::Failed, hint("devenv up repairs the environment")),
        E::Silent { pid } => {
            let text = format!(
                "wait if it is just ending its units; else kill -9 {pid}, then: devenv up, or devenv down, which clear up after it"
            );
            ("supervisor_silent", Exit::Failed, Some(text))
        }
        E::Untrusted { remedy, .. } => ("untrusted", Exit::Failed, Some(remedy.clone())),
        E::Refused { .. } => ("refused", Exit::Failed, hint("devenv status")),
    }
}

/// What a promotion ended with, and the next command.
fn promotion(error: &promotion::Error) -> (&'static str, Exit, Option<String>) {
    use promotion::Error as E;
    let hint = |text: &str| Some(text.to_owned());
    match error {
        E::UnknownEnvironment { .. } => ("unknown_environment", Exit::Usage, hint("see [promote.ENV] in devenv.toml")),
        E::Incomplete { environment, missing } => {
            let text = format!("add {missing} = \"...\" to [promote.{environment}] in devenv.toml");
            ("promotion_incomplete", Exit::ConfigurationInvalid, Some(text))
        }
        E::AccountFile { .. } => ("account_file", Exit::ConfigurationInvalid, hint("docs/aws.md says what is in it")),
        E::WrongAccount { wanted, .. } => {
            ("wrong_account", Exit::Gate, Some(format!("log in to {wanted}: aws sso login, or AWS_PROFILE=...")))
        }
        E::WrongRegion { wanted, .. } => ("wrong_region", Exit::Gate, Some(format!("export AWS_REGION={wanted}"))),
        E::Refused(refusal) => ("gate", Exit::Gate, Some(gate_hint(refusal))),
        E::NoRepository { .. } => ("no_repository", Exit::Gate, hint("git init, git add, git commit")),
        E::NoImage { .. } => ("no_image", Exit::Gate, hint("devenv test --runtime docker")),
        E::WrongPlatform { wanted, .. } => {
            let text = format!(
                "devenv test --runtime docker --build-in-docker --platform {wanted}, or promote from a build server"
            );
            ("wrong_platform", Exit::Gate, Some(text))
        }
        E::NoFoundation { environment, .. } => {
            ("no_foundation", Exit::PrerequisiteMissing, Some(format!("just foundation {environment}")))
        }
        E::FoundationIncomplete { environment, .. } => {
            ("foundation_incomplete", Exit::PrerequisiteMissing, Some(format!("just foundation {environment}")))
        }
        E::TablesDiffer { environment, .. } => {
            ("tables_differ", Exit::Gate, Some(format!("schema changes go first: just foundation {environment}")))
        }
        E::TerraformMissing { .. } => (
            "terraform_missing",
            Exit::PrerequisiteMissing,
            hint("install Terraform 1.11 or later, or set DEVENV_TERRAFORM"),
        ),
        E::TerraformVersion { .. } => {
            ("terraform_version", Exit::PrerequisiteMissing, hint("install a newer one, or set DEVENV_TERRAFORM"))
        }
        E::Terraform { .. } => ("terraform", Exit::Failed, hint("again with -v shows all that it said")),
        E::StateLocked { id, .. } => {
            let text = format!("wait until it has ended; if it was killed, in its folder: terraform force-unlock {id}");
            ("state_locked", Exit::Locked, Some(text))
        }
        E::Forbidden { .. } => {
            ("forbidden_change", Exit::Gate, hint("a promotion keeps data; change the release's Terraform"))
        }
        E::TagTaken { .. } => {
            ("tag_taken", Exit::Gate, hint("somebody pushed by hand; remove that image from the registry"))
        }
        E::OtherImage { .. } => ("other_image", Exit::Gate, hint("devenv test --runtime docker, then promote again")),
        E::Locked { environment, .. } => {
            ("promotion_locked", Exit::Locked, Some(format!("wait until it has ended: devenv history {environment}")))
        }
        E::LockLost { environment, .. } | E::TakenOver { environment, .. } => {
            ("lock_lost", Exit::Locked, Some(format!("see what is live: devenv history {environment}")))
        }
        E::Unrecorded { again, .. } => (
            "unrecorded",
            Exit::RollbackFailed,
            Some(format!("see that the bucket can be written, then once more: {again}")),
        ),
        E::Unusable { bucket, key, error } => unusable(bucket, key, error),
        E::LookBack { environment, .. } => {
            let text = format!(
                "find it in: devenv history {environment} --limit 10000; then: devenv rollback {environment} --to RELEASE"
            );
            ("look_back", Exit::Gate, Some(text))
        }
        E::UnknownRelease { environment, .. } => {
            ("unknown_release", Exit::Usage, Some(format!("devenv history {environment} lists them")))
        }
        E::NeverLive { environment, .. } => {
            ("never_live", Exit::Gate, Some(format!("name one that ended live: devenv history {environment}")))
        }
        E::NotRecorded { environment, refusal } => {
            let text =
                format!("on the build server: {}, then: devenv evidence record {environment}", gate_hint(refusal));
            ("not_recorded", Exit::Gate, Some(text))
        }
        E::RequiredRefused { required, refusal, .. } => {
            let again = format!("devenv promote {}", required.join(", devenv promote "));
            let is_damage = |reason: &Reason| matches!(reason, Reason::Damaged { .. });
            let text = if refusal.reasons.iter().all(is_damage) {
                format!("restore it in the bucket, or: {again}")
            } else {
                format!("{}, then: {again}", gate_hint(refusal))
            };
            ("required_evidence", Exit::Gate, Some(text))
        }
        E::RequiredDiffer { disagreement, .. } => {
            let text = format!("bring them together: devenv promote {}", disagreement.other);
            ("required_differ", Exit::Gate, Some(text))
        }
        E::NothingToRecord { .. } => ("nothing_to_record", Exit::Gate, hint("devenv test --runtime docker")),
        E::RequiredNotLive { required, .. } => ("required", Exit::Gate, Some(format!("devenv promote {required}"))),
        E::OtherCommit { live, .. } => ("other_commit", Exit::Gate, Some(format!("git checkout {live}"))),
        E::OtherTerraform { .. } => ("other_terraform", Exit::Gate, hint("git stash, then promote again")),
        E::NoPrevious { environment } => ("no_previous", Exit::Failed, Some(format!("devenv history {environment}"))),
        E::KeptFiles { .. } => {
            ("kept_files", Exit::Failed, hint("check out the release's commit and promote it again"))
        }
        E::NobodyToAsk => ("nobody_to_ask", Exit::Usage, hint("add --yes")),
        E::Declined => ("declined", Exit::Failed, None),
        E::Rollout { .. } | E::RolloutDeadline { .. } => ("rollout", Exit::Failed, None),
        E::Smoke { .. } | E::OtherVersion { .. } => ("smoke", Exit::Failed, None),
        E::RolledBack { interrupted: true, .. } | E::ScaledToZero { interrupted: true, .. } => {
            ("interrupted", Exit::Interrupted, None)
        }
        E::RolledBack { environment, .. } | E::ScaledToZero { environment, .. } => {
            ("rolled_back", Exit::RolledBack, Some(format!("devenv history {environment}")))
        }
        E::RollbackFailed { environment, .. } => {
            let text = format!("mend what is named above, then: devenv rollback {environment}");
            ("rollback_failed", Exit::RollbackFailed, Some(text))
        }
        E::Left { environment, again, .. } => {
            let text = format!("go on: {again}; or back: devenv rollback {environment}");
            ("left", Exit::Interrupted, Some(text))
        }
        E::Rehearsal { .. } => ("rehearsal", Exit::Failed, hint("devenv down, then try again")),
        E::Cloud(error) | E::Unseen { error, .. } => cloud(error.kind),
    }
}

fn cloud(kind: CloudErrorKind) -> (&'static str, Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match kind {
        CloudErrorKind::Login => (
            "login",
            Exit::PrerequisiteMissing,
            hint("log in again: aws sso login, or new credentials in the environment"),
        ),
        CloudErrorKind::Denied => {
            ("denied", Exit::Failed, hint("the login lacks this right; docs/aws.md names the role that has it"))
        }
        CloudErrorKind::Unreachable => {
            ("aws_unreachable", Exit::Failed, hint("see that the network is there, then try again"))
        }
        CloudErrorKind::Throttled => {
            ("aws_throttled", Exit::Failed, hint("AWS takes no more requests for the moment; try again in a minute"))
        }
        CloudErrorKind::Unavailable => {
            ("aws_unavailable", Exit::Failed, hint("AWS could not answer; try again in a minute"))
        }
        _ => ("aws", Exit::Failed, None),
    }
}

/// An object in the bucket that a promotion must not guess at.
fn unusable(bucket: &str, key: &str, error: &FormatError) -> (&'static str, Exit, Option<String>) {
    let what = error.what();
    let hint = match (error, what) {
        (FormatError::Version { .. }, _) => {
            return ("newer_format", Exit::Gate, Some("a newer devenv wrote it: use that one".to_owned()));
        }
        (_, "lock") => format!("when nobody promotes, remove it: aws s3 rm s3://{bucket}/{key}"),
        (_, "live pointer") => {
            format!("restore an earlier version of {key} in the bucket; without it, the records show what is live")
        }
        _ => format!("restore an earlier version of {key} in the bucket"),
    };
    let code = match what {
        "lock" => "lock_unreadable",
        "live pointer" => "pointer_unreadable",
        _ => "record_unreadable",
    };
    (code, Exit::Gate, Some(hint))
}

/// The command that supplies what is missing first of all.
fn gate_hint(refusal: &Refusal) -> String {
    if refusal.reasons.contains(&Reason::Dirty) {
        return "git commit or git stash, then devenv test --runtime docker".to_owned();
    }
    let missing = refusal.reasons.iter().find_map(|reason| match reason {
        Reason::Missing { emulator } | Reason::Differs { emulator, .. } => Some(emulator.as_str()),
        _ => None,
    });
    format!("devenv test --runtime docker --emulator {}", missing.unwrap_or("embedded"))
}

fn resource(error: &ResourceError) -> (&'static str, Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        ResourceError::TableDiffers { .. } => (
            "table_differs",
            Exit::Failed,
            hint("devenv reset rebuilds the tables from their files; the items are lost"),
        ),
        ResourceError::NotLocal { .. } => {
            ("not_local", Exit::ConfigurationInvalid, hint("use an address such as http://127.0.0.1:8000"))
        }
        ResourceError::Unreachable { .. } => ("emulator_unreachable", Exit::Failed, hint("devenv logs emulator")),
        ResourceError::Refused { message, .. } if message.contains("disk is full") => {
            ("disk_full", Exit::Failed, hint("free some space (cargo clean), then try again"))
        }
        ResourceError::Refused { .. } => ("emulator_refused", Exit::Failed, hint("devenv logs emulator")),
        ResourceError::NotActive { .. } => ("table_not_active", Exit::NotReadyInTime, hint("devenv logs emulator")),
    }
}

const ACCOUNT: &str = "LOCALSTACK_AUTH_TOKEN";

fn account_hint() -> String {
    let is_set = std::env::var_os(ACCOUNT).is_some_and(|token| !token.is_empty());
    if is_set {
        format!("the image was given {ACCOUNT} and refused it: see that the token is valid")
    } else {
        format!(
            "this image wants an account: set {ACCOUNT}, or name an image without one, such as localstack/localstack:4.14.0, in devenv.toml"
        )
    }
}

fn engine(error: &EngineError) -> (&'static str, Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error.kind {
        EngineErrorKind::DiskFull => {
            ("disk_full", Exit::Failed, hint("free some space (docker system prune, cargo clean), then try again"))
        }
        EngineErrorKind::PortTaken => ("port_taken", Exit::Failed, hint("devenv doctor names who holds it")),
        EngineErrorKind::Unreachable => (
            "engine_lost",
            Exit::PrerequisiteMissing,
            hint("start the engine again; devenv up repairs the environment"),
        ),
        EngineErrorKind::Conflict | EngineErrorKind::NotFound | EngineErrorKind::Other => {
            ("engine", Exit::Failed, hint("devenv status"))
        }
    }
}

fn no_engine_hint(none: &NoEngine) -> String {
    format!("{}\n      or without containers: devenv up --runtime process", none.remedy)
}

/// On a machine that reaches no registry, an emulator's image is made from a recipe.
fn image_hint(image: &str) -> String {
    format!(
        "docker pull {image}; where no registry can be reached, dynamodb-local/README.md and localstack/README.md say how to make one"
    )
}

fn state_hint(path: &Utf8Path, source: &std::io::Error) -> String {
    match unwritable(path, source) {
        Unwritable::Mode => format!("make it writable: chmod -R u+rwX '{}'", folder_of_state(path)),
        Unwritable::Foreign(owner) => {
            format!("it belongs to user {owner}: run devenv as that user, or keep the state elsewhere: {ELSEWHERE}")
        }
        Unwritable::ReadOnly => format!("the file system is read-only: keep the state elsewhere: {ELSEWHERE}"),
        Unwritable::DiskFull => "the disk is full: free some space (cargo clean), then try again".to_owned(),
        Unwritable::TooManyFiles => TOO_MANY_FILES.to_owned(),
        Unwritable::Other => "devenv doctor".to_owned(),
    }
}

const ELSEWHERE: &str = "devenv --state-dir DIR up";
const TOO_MANY_FILES: &str = "as many files are open as may be: ulimit -n 4096, then try again";

/// What is made writable at one stroke: the folder named `.devenv`, or the file itself where the state is elsewhere.
fn folder_of_state(path: &Utf8Path) -> &Utf8Path {
    path.ancestors().find(|part| part.file_name() == Some(".devenv")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: i32) -> Report {
        report(&Error::ReadFile { path: "compose.yaml".into(), source: std::io::Error::from_raw_os_error(raw) })
    }

    #[test]
    fn a_machine_that_has_no_more_files_is_not_a_wrong_configuration() {
        const EMFILE: i32 = 24;
        const EACCES: i32 = 13;
        assert_eq!((of(EMFILE).code, of(EMFILE).exit_code), ("too_many_files", Exit::Failed as u8));
        assert_eq!((of(EACCES).code, of(EACCES).exit_code), ("read_file", Exit::ConfigurationInvalid as u8));
    }

    #[test]
    fn a_hint_names_the_folder_of_the_state() {
        assert_eq!(folder_of_state("/shop/.devenv/units/a.lock".into()), "/shop/.devenv");
        assert_eq!(folder_of_state("/elsewhere/state.json".into()), "/elsewhere/state.json");
    }
}
