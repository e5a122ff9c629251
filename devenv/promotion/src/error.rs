use camino::Utf8PathBuf;
use devenv_artifacts::terraform::TerraformError;
use devenv_ledger::Error as LedgerError;
use devenv_model::gate::Refusal;
use devenv_model::promotion::changes::ResourceChange;
use devenv_rehearsal::services::NotRehearsed;
use devenv_releases::required::Disagreement;
use devenv_runtime::{Error as RuntimeError, HostError, NoHost};
use devenv_testing::error::Error as TestingError;

use crate::cloud::CloudError;

/// Why a promotion or a rollback failed, and the state in which it left the environment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("devenv.toml has no [promote.{name}]; {}", named(.known))]
    UnknownEnvironment { name: String, known: Vec<String> },
    #[error("[promote.{environment}] lacks {missing}")]
    Incomplete { environment: String, missing: &'static str },
    #[error("{path}: {cause}")]
    AccountFile { path: Utf8PathBuf, cause: String },
    #[error("the login belongs to account {found}, but {environment} is account {wanted}")]
    WrongAccount { environment: String, wanted: String, found: String },
    #[error("the login is for region {found}, but {environment} is in {wanted}")]
    WrongRegion { environment: String, wanted: String, found: String },
    #[error("{}", indented(.0))]
    Refused(#[from] Refusal),
    #[error("{environment} has no Terraform: git tracks no .tf file in {folder}")]
    NoTerraform { environment: String, folder: Utf8PathBuf },
    #[error("a release is known by its commit, but this folder is not a git repository with a commit")]
    NoRepository,
    #[error(transparent)]
    NotRehearsed(#[from] NotRehearsed),
    #[error("image {reference} of {service} not found")]
    NoImage { service: String, reference: String },
    #[error("the image of {service} is for {found}, but {environment} runs {wanted}")]
    WrongPlatform { environment: String, service: String, wanted: String, found: String },
    #[error("{environment} has no foundation: {key} not found in {bucket}")]
    NoFoundation { environment: String, bucket: String, key: String },
    #[error("the foundation of {environment} lacks {missing}")]
    FoundationIncomplete { environment: String, missing: String },
    #[error("the resources of {environment} differ from their files: {}", differences.join("; "))]
    ResourcesDiffer { environment: String, differences: Vec<String> },
    #[error("cannot start terraform: {cause}")]
    TerraformMissing { cause: String },
    #[error("terraform {found} is too old: {needed} or later is needed")]
    TerraformVersion { found: String, needed: String },
    #[error("terraform {command} failed")]
    Terraform { command: String, output: Vec<String> },
    /// Another Terraform works on the same state, or was killed while it did.
    #[error("{who} has locked the Terraform state of {environment} since {since}")]
    StateLocked { environment: String, who: String, since: String, id: String },
    #[error("the release would remove resources that hold data: {}", list(.changes))]
    Forbidden { changes: Vec<ResourceChange> },
    #[error("another image, {digest}, has the tag {tag} of {repository}")]
    TagTaken { repository: String, tag: String, digest: String },
    #[error("the image of {service} in the registry is not the tested image: found {found}, expected {tested}")]
    OtherImage { service: String, tested: String, found: String },
    #[error("the image {reference} of a record names no registry")]
    NoRegistry { reference: String },
    #[error(transparent)]
    Ledger(LedgerError),
    /// The lock was lost after this run had begun to change things.
    #[error(
        "{owner} took over the lock of {environment}\nthis run was making {applied} live; the records show {live} as live in \
         {environment}, and the next promotion repairs the unfinished change"
    )]
    TakenOver { environment: String, owner: String, applied: String, live: String },
    #[error("{live} is live in {environment}, but its record could not be written: {cause}")]
    Unrecorded {
        environment: String,
        live: String,
        /// The command that makes the same release live.
        again: String,
        cause: Box<Self>,
    },
    #[error("{environment} has no release {id}")]
    UnknownRelease { environment: String, id: String },
    #[error("release {id} was never live in {environment}")]
    NeverLive { environment: String, id: String },
    #[error("{environment} accepts only evidence that the build server recorded:\n{}", reasons(.refusal))]
    NotRecorded { environment: String, refusal: Refusal },
    #[error("{environment} cannot ship the live release of {}:\n{}", required.join(" and "), reasons(.refusal))]
    RequiredRefused { environment: String, required: Vec<String>, refusal: Refusal },
    #[error(
        "{environment} ships a release only when every environment that it requires has it live, but {disagreement}"
    )]
    RequiredDiffer { environment: String, disagreement: Disagreement },
    #[error("no evidence of the commit {commit} that could count")]
    NothingToRecord { commit: String },
    #[error("{environment} ships the live release of {required}, but {required} has none")]
    RequiredNotLive { environment: String, required: String },
    #[error("{environment} ships the live release of {required}, commit {live}, but {at_hand} is checked out")]
    OtherCommit { environment: String, required: String, live: String, at_hand: String },
    #[error("{environment} ships the live release of {required}, whose Terraform files differ from those checked out")]
    OtherTerraform { environment: String, required: String },
    #[error("{environment} has no earlier release to return to")]
    NoPrevious { environment: String },
    #[error("the Terraform files kept for release {release} are missing or differ from the applied ones")]
    KeptFiles { release: String },
    #[error("confirmation required, but stdin is not a terminal")]
    NobodyToAsk,
    #[error("declined; nothing changed")]
    Declined,
    #[error("{service}: {cause}")]
    Rollout { service: String, cause: String, log: Vec<String> },
    /// AWS refuses the question, and waiting does not help.
    #[error("cannot see whether {service} is live: {error} (seen before: {seen})")]
    Unseen { service: String, seen: String, error: CloudError },
    #[error("not live within {minutes} minutes: {}", waiting.join("; "))]
    RolloutDeadline { minutes: u64, waiting: Vec<String> },
    #[error("the smoke tests failed: {}", failed.join(", "))]
    Smoke { failed: Vec<String>, output: Vec<String> },
    #[error("{url} reports {found}, not {wanted}")]
    OtherVersion { url: String, wanted: String, found: String },
    /// The release had begun to go live; the previous one is live again.
    #[error("{cause}\nrolled back: {live} is live in {environment} again")]
    RolledBack { environment: String, cause: Box<Self>, live: String, interrupted: bool },
    #[error("{cause}\nthis was the first release and nothing precedes it: {environment} is scaled to zero")]
    ScaledToZero { environment: String, cause: Box<Self>, interrupted: bool },
    #[error("{cause}\nthe rollback failed too: {rollback}\nthe live release of {environment} is now uncertain")]
    RollbackFailed { environment: String, cause: Box<Self>, rollback: Box<Self> },
    /// Interrupted, and the user chose not to roll back.
    #[error("interrupted at the step \"{step}\"; {environment} is left as it is")]
    Left {
        environment: String,
        step: String,
        /// The command that continues.
        again: String,
    },
    #[error("the emulated AWS did not start: {cause}")]
    Rehearsal { cause: String, log: Vec<String> },
    #[error("the guard of the emulated AWS did not open the load balancer {name}: {cause}")]
    BalancerShut { name: String, cause: String },
    #[error("cannot read the order of a service in DEVENV_SERVICE: {cause}")]
    ServiceOrder { cause: String },
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

/// Errors with the same remedy share a code.
impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Cloud(error) => Self::Cloud(error),
            LedgerError::Cancelled => Self::Engine(devenv_engine::Error::Cancelled),
            other => Self::Ledger(other),
        }
    }
}

impl From<RuntimeError> for Error {
    fn from(error: RuntimeError) -> Self {
        Self::Engine(error.into())
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
    if names.is_empty() { "it defines none".to_owned() } else { format!("it defines {}", names.join(", ")) }
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
