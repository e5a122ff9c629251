//! What a user reads of each error: its words, its codes, and the next command.

use devenv_ledger::Error as LedgerError;
use devenv_model::gate::{Reason, Refusal};
use devenv_model::promotion::changes::{Action, ResourceChange};
use devenv_promotion::{CloudError, CloudErrorKind, Error};
use devenv_rehearsal::services::NotRehearsed;
use devenv_releases::required::{Differs, Disagreement};

fn dev() -> String {
    "dev".to_owned()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn cloud(kind: CloudErrorKind) -> CloudError {
    CloudError { action: text("read dev/releases/live"), cause: format!("{kind:?}"), kind }
}

fn refusal() -> Refusal {
    Refusal { reasons: vec![Reason::Missing { emulator: text("embedded") }] }
}

/// Those that the other tests of this binary do not bring about by a promotion, and those with words of their own.
fn errors() -> Vec<Error> {
    let removed = |address: &str, action| ResourceChange {
        address: text(address),
        kind: text("aws_lb"),
        action,
        is_subscribed: false,
    };
    let rollout = || {
        Box::new(Error::Rollout { service: text("web"), cause: text("exit code 3"), log: vec![text("no database")] })
    };
    let disagreement =
        Disagreement { first: dev(), other: text("stage"), what: vec![Differs::Commit, Differs::Terraform] };
    vec![
        Error::UnknownEnvironment { name: text("prod"), known: Vec::new() },
        Error::UnknownEnvironment { name: text("prod"), known: vec![dev(), text("stage")] },
        Error::Incomplete { environment: dev(), missing: "region" },
        Error::WrongAccount { environment: dev(), wanted: text("000000000000"), found: text("111111111111") },
        Error::WrongRegion { environment: dev(), wanted: text("eu-west-1"), found: text("us-east-1") },
        Error::Refused(refusal()),
        Error::Refused(Refusal { reasons: vec![Reason::Dirty] }),
        Error::Refused(Refusal { reasons: vec![Reason::Missing { emulator: text("none") }] }),
        Error::NotRecorded { environment: dev(), refusal: refusal() },
        Error::RequiredRefused { environment: text("prod"), required: vec![dev(), text("stage")], refusal: refusal() },
        Error::RequiredDiffer { environment: text("prod"), disagreement },
        Error::NoRepository,
        Error::NotRehearsed(NotRehearsed::Service { service: text("migrate"), cause: text("it runs once") }),
        Error::NoFoundation { environment: dev(), bucket: text("state"), key: text("dev/foundation.tfstate") },
        Error::FoundationIncomplete { environment: dev(), missing: text("the output url") },
        Error::ResourcesDiffer {
            environment: dev(),
            differences: vec![text("table items does not exist"), text("queue x has no file")],
        },
        Error::TerraformMissing { cause: text("No such file or directory") },
        Error::TerraformVersion { found: text("1.5.7"), needed: text("1.11") },
        Error::Terraform { command: text("apply"), output: vec![text("Error: throttled")] },
        Error::StateLocked { environment: dev(), who: text("eve@ci"), since: text("10:00"), id: text("1a-2b") },
        Error::Forbidden {
            changes: vec![removed("aws_lb.web", Action::Replace), removed("aws_lb.api", Action::Destroy)],
        },
        Error::NoRegistry { reference: text("web@sha256:1f") },
        Error::Ledger(LedgerError::Locked { environment: dev(), owner: text("eve@ci"), since: text("10:00") }),
        Error::RolloutDeadline { minutes: 15, waiting: vec![text("web: 0 of 1"), text("api: 1 of 2")] },
        Error::Unseen { service: text("web"), seen: text("0 of 1"), error: cloud(CloudErrorKind::Denied) },
        Error::OtherVersion { url: text("https://shop.example/version"), wanted: text("web@1"), found: text("web@2") },
        Error::RolledBack { environment: dev(), cause: rollout(), live: text("release 1"), interrupted: false },
        Error::RollbackFailed {
            environment: dev(),
            cause: rollout(),
            rollback: Box::new(Error::Terraform { command: text("plan"), output: vec![text("Error: denied")] }),
        },
        Error::Rehearsal { cause: text("its guard ended"), log: vec![text("address in use")] },
        Error::BalancerShut { name: text("shop-web"), cause: text("403 Forbidden") },
        Error::ServiceOrder { cause: text("EOF while parsing a value") },
        Error::Cloud(cloud(CloudErrorKind::Login)),
        Error::Cloud(cloud(CloudErrorKind::Unreachable)),
        Error::Cloud(cloud(CloudErrorKind::Throttled)),
        Error::Cloud(cloud(CloudErrorKind::NotFound)),
    ]
}

#[test]
fn every_error_reports_what_failed_and_the_next_command() {
    let shown = errors().into_iter().map(|error| {
        let (code, exit, next) = crate::report::describe(&error);
        let mut lines = vec![format!("{code} ({}): {error}", exit as u8)];
        lines.extend(error.log().iter().map(|line| format!("  | {line}")));
        lines.extend(next.map(|next| format!("  next: {next}")));
        lines.join("\n")
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"));
}
