use camino::Utf8PathBuf;
use devenv_engine::host::TerraformError;
use devenv_engine::runtime::{HostError, NoHost};
use devenv_model::gate::Refusal;
use devenv_model::promotion::changes::ResourceChange;
use devenv_model::promotion::format::FormatError;
use devenv_model::promotion::required::Disagreement;
use devenv_testing::error::Error as TestingError;

use crate::cloud::CloudError;

/// Why nothing was promoted, or what became of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("devenv.toml has no [promote.{name}]; {}", named(.known))]
    UnknownEnvironment { name: String, known: Vec<String> },
    #[error("[promote.{environment}] does not say {missing}")]
    Incomplete { environment: String, missing: &'static str },
    #[error("{path}: {cause}")]
    AccountFile { path: Utf8PathBuf, cause: String },
    #[error("the login is of account {found}, and {environment} is account {wanted}")]
    WrongAccount { environment: String, wanted: String, found: String },
    #[error("the login is for region {found}, and {environment} is in {wanted}")]
    WrongRegion { environment: String, wanted: String, found: String },
    #[error("{}", indented(.0))]
    Refused(#[from] Refusal),
    #[error(
        "this folder is no git repository with a commit and with {folder} in it, so nobody could say what was released"
    )]
    NoRepository { folder: String },
    #[error("there is no image {reference} of {service}")]
    NoImage { service: String, reference: String },
    #[error("the image of {service} is for {found}, and {environment} runs {wanted}")]
    WrongPlatform { environment: String, service: String, wanted: String, found: String },
    #[error("{environment} has nothing to stand on: there is no {key} in {bucket}")]
    NoFoundation { environment: String, bucket: String, key: String },
    #[error("the foundation of {environment} does not say {missing}")]
    FoundationIncomplete { environment: String, missing: String },
    #[error("the tables of {environment} are not those of the files: {}", differences.join("; "))]
    TablesDiffer { environment: String, differences: Vec<String> },
    #[error("terraform cannot be started: {cause}")]
    TerraformMissing { cause: String },
    #[error("terraform {found} is too old: {needed} or later is needed")]
    TerraformVersion { found: String, needed: String },
    #[error("terraform {command} failed")]
    Terraform { command: String, output: Vec<String> },
    /// Somebody else works on the same state, or was killed while they did.
    #[error("the Terraform state of {environment} is locked by {who} since {since}")]
    StateLocked { environment: String, who: String, since: String, id: String },
    #[error("the release would take away what holds data: {}", list(.changes))]
    Forbidden { changes: Vec<ResourceChange> },
    #[error("the tag {tag} of {repository} is taken by another image, {digest}")]
    TagTaken { repository: String, tag: String, digest: String },
    #[error("what the registry has of {service} is not what was tested: {found} and not {tested}")]
    OtherImage { service: String, tested: String, found: String },
    #[error("the image {reference} of a record names no registry")]
    NoRegistry { reference: String },
    #[error("{owner} is promoting to {environment} since {since}")]
    Locked { environment: String, owner: String, since: String },
    #[error("the lock of {environment} was taken over by {owner}")]
    LockLost { environment: String, owner: String },
    /// The same after this run had begun to change things.
    #[error(
        "the lock of {environment} was taken over by {owner}\n{applied} was being made live; by its records, {live} is live in \
         {environment}, and the next promotion puts right what is half done"
    )]
    TakenOver { environment: String, owner: String, applied: String, live: String },
    #[error("{live} is live in {environment}, and that could not be written down: {cause}")]
    Unrecorded {
        environment: String,
        live: String,
        /// The command that makes the same live.
        again: String,
        cause: Box<Self>,
    },
    #[error("the {} {key} cannot be used: {error}", error.what())]
    Unusable { bucket: String, key: String, error: FormatError },
    #[error("none of the last {records} promotions to {environment} ended live, so what is live is not known")]
    LookBack { environment: String, records: usize },
    #[error("{environment} has no release {id}")]
    UnknownRelease { environment: String, id: String },
    #[error("release {id} never was live in {environment}")]
    NeverLive { environment: String, id: String },
    #[error("{environment} takes evidence only as the build server recorded it:\n{}", reasons(.refusal))]
    NotRecorded { environment: String, refusal: Refusal },
    #[error("{environment} cannot ship what is live in {}:\n{}", required.join(" and "), reasons(.refusal))]
    RequiredRefused { environment: String, required: Vec<String>, refusal: Refusal },
    #[error("{environment} ships what is live in all that it requires, and {disagreement}")]
    RequiredDiffer { environment: String, disagreement: Disagreement },
    #[error("no evidence of the commit {commit} is here that could count")]
    NothingToRecord { commit: String },
    #[error("{environment} ships what is live in {required}, and nothing is")]
    RequiredNotLive { environment: String, required: String },
    #[error("{environment} ships what is live in {required}, which is commit {live}; checked out is {at_hand}")]
    OtherCommit { environment: String, required: String, live: String, at_hand: String },
    #[error("{environment} ships what is live in {required}, whose Terraform files are others")]
    OtherTerraform { environment: String, required: String },
    #[error("nothing was released to {environment} before, so there is nothing to return to")]
    NoPrevious { environment: String },
    #[error("the kept Terraform files of release {release} are not those that were applied")]
    KeptFiles { release: String },
    #[error("a question has to be answered, and nobody is there to answer it")]
    NobodyToAsk,
    #[error("declined; nothing was changed")]
    Declined,
    #[error("{service}: {cause}")]
    Rollout { service: String, cause: String, log: Vec<String> },
    /// AWS does not let itself be asked, and will not in a while.
    #[error("cannot see whether {service} is live: {error} (seen before: {seen})")]
    Unseen { service: String, seen: String, error: CloudError },
    #[error("not live within {minutes} minutes: {}", waiting.join("; "))]
    RolloutDeadline { minutes: u64, waiting: Vec<String> },
    #[error("the smoke tests failed: {}", failed.join(", "))]
    Smoke { failed: Vec<String>, output: Vec<String> },
    #[error("{url} shows {found} and not {wanted}")]
    OtherVersion { url: String, wanted: String, found: String },
    /// It was live or about to be; what was before is live again.
    #[error("{cause}\nrolled back: {live} is live in {environment} again")]
    RolledBack { environment: String, cause: Box<Self>, live: String, interrupted: bool },
    #[error("{cause}\nit was the first release, so there is nothing to return to: {environment} is scaled to zero")]
    ScaledToZero { environment: String, cause: Box<Self>, interrupted: bool },
    #[error("{cause}\nthe rollback failed too: {rollback}\nwhat is live in {environment} now is uncertain")]
    RollbackFailed { environment: String, cause: Box<Self>, rollback: Box<Self> },
    /// Asked not to roll back.
    #[error("interrupted at the step \"{step}\"; {environment} is left as it is")]
    Left {
        environment: String,
        step: String,
        /// The command that goes on.
        again: String,
    },
    #[error("the emulated AWS did not start: {cause}")]
    Rehearsal { cause: String, log: Vec<String> },
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Testing(TestingError),
    #[error(transparent)]
    Engine(#[from] devenv_engine::Error),
}

impl From<TestingError> for Error {
    fn from(error: TestingError) -> Self {
        match error {
            TestingError::Engine(error) => Self::Engine(error),
            other => Self::Testing(other),
        }
    }
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<NoHost> for Error {
    fn from(none: NoHost) -> Self {
        Self::Engine(none.into())
    }
}

impl From<devenv_resources::error::Error> for Error {
    fn from(error: devenv_resources::error::Error) -> Self {
        Self::Engine(error.into())
    }
}

impl From<devenv_supervisor::error::Error> for Error {
    fn from(error: devenv_supervisor::error::Error) -> Self {
        Self::Engine(error.into())
    }
}

impl From<TerraformError> for Error {
    fn from(error: TerraformError) -> Self {
        match error {
            TerraformError::Missing { cause } => Self::TerraformMissing { cause },
            TerraformError::Version { found, needed } => Self::TerraformVersion { found, needed },
        }
    }
}

impl Error {
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Engine(devenv_engine::Error::Cancelled))
    }

    /// Whether the delivery failed before it changed anything: Terraform takes its lock first.
    pub(crate) fn changed_nothing(&self) -> bool {
        matches!(self, Self::StateLocked { .. })
    }

    /// Whether the delivery's own program failed, which may have met an error that passes.
    pub(crate) fn is_worth_a_second_try(&self) -> bool {
        matches!(self, Self::Terraform { .. })
    }

    /// The last lines of the failed program.
    pub fn log(&self) -> &[String] {
        match self {
            Self::Terraform { output: log, .. }
            | Self::Rollout { log, .. }
            | Self::Smoke { output: log, .. }
            | Self::Rehearsal { log, .. } => log,
            Self::RolledBack { cause, .. } | Self::ScaledToZero { cause, .. } => cause.log(),
            Self::RollbackFailed { rollback, .. } => rollback.log(),
            Self::Engine(error) => error.log(),
            _ => &[],
        }
    }
}

fn named(names: &[String]) -> String {
    if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) }
}

fn list(changes: &[ResourceChange]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn indented(refusal: &Refusal) -> String {
    format!("not promoted:\n{}", reasons(refusal))
}

fn reasons(refusal: &Refusal) -> String {
    refusal.reasons.iter().map(|reason| format!("  {reason}")).collect::<Vec<_>>().join("\n")
}
