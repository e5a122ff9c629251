//! The stable code, the exit code and the next command for each error of a promotion.

use devenv_ledger::Error as LedgerError;
use devenv_model::evidence::NO_EMULATOR;
use devenv_model::gate::{Reason, Refusal};
use devenv_promotion::{CloudErrorKind, Error};
use devenv_releases::format::FormatError;
use devenv_terminal::exit::Exit;
use devenv_terminal::report::{self, Failure, Told};
use devenv_terminal::testing_report;

/// A failed promotion, as the terminal shows it.
pub(crate) fn failure(error: Error) -> Failure {
    match error {
        Error::Engine(error) => error.into(),
        Error::Testing(error) => error.into(),
        error => Failure::new(error.to_string(), error.log(), describe(&error)),
    }
}

/// The code and exit code of an error, and the next command.
pub(crate) fn describe(error: &Error) -> Told {
    use Error as E;
    let hint = |text: &str| Some(text.to_owned());
    match error {
        E::UnknownEnvironment { .. } => ("unknown_environment", Exit::Usage, hint("see [promote.ENV] in devenv.toml")),
        E::Incomplete { environment, missing } => {
            let text = format!("add {missing} = \"...\" to [promote.{environment}] in devenv.toml");
            ("promotion_incomplete", Exit::ConfigurationInvalid, Some(text))
        }
        E::AccountFile { .. } => ("account_file", Exit::ConfigurationInvalid, hint("docs/aws.md lists its keys")),
        E::WrongAccount { wanted, .. } => {
            ("wrong_account", Exit::Gate, Some(format!("log in to {wanted}: aws sso login, or AWS_PROFILE=...")))
        }
        E::WrongRegion { wanted, .. } => ("wrong_region", Exit::Gate, Some(format!("export AWS_REGION={wanted}"))),
        E::Refused(refusal) => ("gate", Exit::Gate, Some(gate_hint(refusal))),
        E::NoTerraform { folder, .. } if !folder.starts_with("terraform") => (
            "no_terraform",
            Exit::ConfigurationInvalid,
            hint("a release has the files below terraform/ alone: move it there"),
        ),
        E::NoTerraform { folder, .. } => {
            let text = format!("write the release's root (docs/promotion.md), then: git add {folder}, git commit");
            ("no_terraform", Exit::ConfigurationInvalid, Some(text))
        }
        E::NoRepository => ("no_repository", Exit::Gate, hint("git init, git add, git commit")),
        E::NotRehearsed(refused) => ("not_rehearsed", Exit::ConfigurationInvalid, hint(refused.hint())),
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
        E::ResourcesDiffer { environment, .. } => {
            ("resources_differ", Exit::Gate, Some(format!("schema changes go first: just foundation {environment}")))
        }
        E::TerraformMissing { .. } => (
            "terraform_missing",
            Exit::PrerequisiteMissing,
            hint("install Terraform 1.11 or later, or set DEVENV_TERRAFORM"),
        ),
        E::TerraformVersion { .. } => {
            ("terraform_version", Exit::PrerequisiteMissing, hint("install a newer one, or set DEVENV_TERRAFORM"))
        }
        E::Terraform { .. } => ("terraform", Exit::Failed, hint("run again with -v to see all of its output")),
        E::StateLocked { id, .. } => {
            let text =
                format!("wait until that run ends; if it was killed, run in its folder: terraform force-unlock {id}");
            ("state_locked", Exit::Locked, Some(text))
        }
        E::Forbidden { .. } => {
            ("forbidden_change", Exit::Gate, hint("a promotion keeps data; change the release's Terraform"))
        }
        E::TagTaken { .. } => {
            ("tag_taken", Exit::Gate, hint("the image was pushed by hand; remove it from the registry"))
        }
        E::NoRegistry { .. } => {
            ("no_registry", Exit::Failed, hint("restore the record's earlier version in the bucket"))
        }
        E::OtherImage { .. } => ("other_image", Exit::Gate, hint("devenv test --runtime docker, then promote again")),
        E::Ledger(error) => ledger(error),
        E::TakenOver { environment, .. } => {
            ("lock_lost", Exit::Locked, Some(format!("see which release is live: devenv history {environment}")))
        }
        E::Unrecorded { again, .. } => (
            "unrecorded",
            Exit::RollbackFailed,
            Some(format!("make sure that the bucket is writable, then run again: {again}")),
        ),
        E::UnknownRelease { environment, .. } => {
            ("unknown_release", Exit::Usage, Some(format!("devenv history {environment} lists them")))
        }
        E::NeverLive { environment, .. } => {
            ("never_live", Exit::Gate, Some(format!("choose a release that ended live: devenv history {environment}")))
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
            let text = format!("promote the same release to both: devenv promote {}", disagreement.other);
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
            let text = format!("fix the cause named above, then: devenv rollback {environment}");
            ("rollback_failed", Exit::RollbackFailed, Some(text))
        }
        E::Left { environment, again, .. } => {
            let text = format!("continue: {again}; or return: devenv rollback {environment}");
            ("left", Exit::Interrupted, Some(text))
        }
        E::Rehearsal { .. } | E::BalancerShut { .. } => {
            ("rehearsal", Exit::Failed, hint("devenv down, then try again"))
        }
        // The caller is a rehearsal's Terraform, not a person.
        E::ServiceOrder { .. } => ("service_order", Exit::Usage, None),
        E::Engine(error) => report::describe(error),
        E::Testing(error) => testing_report::describe(error),
        E::Cloud(error) | E::Unseen { error, .. } => cloud(error.kind),
    }
}

/// An error of the records, the live pointer or the lock.
fn ledger(error: &LedgerError) -> Told {
    use LedgerError as E;
    match error {
        E::Locked { environment, .. } => {
            ("promotion_locked", Exit::Locked, Some(format!("wait until that run ends: devenv history {environment}")))
        }
        E::LockLost { environment, .. } => {
            ("lock_lost", Exit::Locked, Some(format!("see which release is live: devenv history {environment}")))
        }
        E::Unusable { bucket, key, error } => unusable(bucket, key, error),
        E::LookBack { environment, .. } => {
            let text = format!(
                "find the live release: devenv history {environment} --limit 10000; then: devenv rollback {environment} --to RELEASE"
            );
            ("look_back", Exit::Gate, Some(text))
        }
        E::Cloud(error) => cloud(error.kind),
        E::Cancelled => ("interrupted", Exit::Interrupted, None),
    }
}

fn cloud(kind: CloudErrorKind) -> Told {
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
        CloudErrorKind::Unreachable => ("aws_unreachable", Exit::Failed, hint("check the network, then try again")),
        CloudErrorKind::Throttled => {
            ("aws_throttled", Exit::Failed, hint("AWS is throttling requests; try again in a minute"))
        }
        CloudErrorKind::Unavailable => {
            ("aws_unavailable", Exit::Failed, hint("AWS could not answer; try again in a minute"))
        }
        _ => ("aws", Exit::Failed, None),
    }
}

/// An object in the bucket whose content a promotion must not guess.
fn unusable(bucket: &str, key: &str, error: &FormatError) -> Told {
    let what = error.what();
    let hint = match (error, what) {
        (FormatError::Version { .. }, _) => {
            return ("newer_format", Exit::Gate, Some("a newer devenv wrote it: use that one".to_owned()));
        }
        (_, "lock") => format!("if no promotion is running, remove it: aws s3 rm s3://{bucket}/{key}"),
        (_, "live pointer") => {
            format!("restore an earlier version of {key} in the bucket; without it, the records show the live release")
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

/// The command that supplies the first missing evidence.
fn gate_hint(refusal: &Refusal) -> String {
    if refusal.reasons.contains(&Reason::Dirty) {
        return "git commit or git stash, then devenv test --runtime docker".to_owned();
    }
    let missing = refusal.reasons.iter().find_map(|reason| match reason {
        Reason::Missing { emulator } | Reason::Differs { emulator, .. } => Some(emulator.as_str()),
        _ => None,
    });
    match missing {
        Some(NO_EMULATOR) => "devenv test --runtime docker".to_owned(),
        emulator => format!("devenv test --runtime docker --emulator {}", emulator.unwrap_or("embedded")),
    }
}
