use camino::Utf8PathBuf;
use devenv_artifacts::error::BuildError;
use devenv_document::problem::Mistakes;
use devenv_manifest::load::Error as LoadError;
use devenv_supervisor::error::Error as SupervisorError;
use devenv_supervisor::unwritable::is_exhausted;

use crate::host_error::{HostError, NoHost};
use crate::request::RuntimeKind;

/// The number of log lines in a failed unit's error.
pub const LOG_TAIL: usize = 20;

/// The errors of projects, their state, and the runtimes of their units. The command line adds hints and exit codes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no devenv.toml in {start} or any folder above it")]
    NoManifest { start: Utf8PathBuf },
    #[error("no Compose file in {folder} or any folder above it")]
    NoComposeFile { folder: Utf8PathBuf },
    #[error(transparent)]
    Manifest(#[from] Mistakes),
    #[error("cannot read {path}: {source}")]
    ReadFile { path: Utf8PathBuf, source: std::io::Error },
    /// The state directory is read-only, full, or another user's.
    #[error("cannot write {path}: {source}")]
    State { path: Utf8PathBuf, source: std::io::Error },
    #[error("{path} has format {found}; this devenv reads format {known}")]
    StateFormat { path: Utf8PathBuf, found: u64, known: u64 },
    /// The runtime cannot run this kind of artifact.
    #[error("{unit} is {artifact}, which the runtime {runtime} cannot run")]
    CannotRun { unit: String, artifact: &'static str, runtime: RuntimeKind },
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    NoHost(#[from] NoHost),
    #[error("devenv.toml names no image for the emulator {emulator}")]
    NoEmulatorImage { emulator: &'static str },
    /// The function host's program was built for another system than the engine's containers have.
    #[error("functions need {program}, which containers of {platform} cannot run")]
    NoFunctionHostImage { program: Utf8PathBuf, platform: String },
    #[error("the image {image} is not present locally and cannot be pulled: {cause}")]
    ImageAbsent { image: String, cause: String },
    #[error("the engine does not have the image of {package} after loading it")]
    NoImage { package: String },
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A unit ended or could not be started while it was being brought up.
    #[error("{unit} failed: {cause}")]
    UnitFailed { unit: String, cause: String, log: Vec<String> },
    #[error("the environment {project} is not running")]
    NotRunning { project: String },
    /// The program of a command beside a service cannot be started.
    #[error("cannot run {program} beside {service}: {source}")]
    Exec { service: String, program: String, source: std::io::Error },
    #[error("{service} runs as a process, which has the user of devenv")]
    OtherUser { service: String },
    #[error("another devenv (process {pid}) is changing this environment")]
    Locked { pid: u32 },
    #[error("cannot start the supervisor: {cause}")]
    SupervisorStart { cause: String, log: Vec<String> },
    #[error(transparent)]
    Supervisor(SupervisorError),
    /// The variable whose value is the content of a secret or config.
    #[error("service {service}: the variable {variable}, the content of {target}, is not set")]
    Unset { service: String, variable: String, target: String },
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            // The machine is at fault, not a place in a file.
            LoadError::Named { path, source, .. } if is_exhausted(&source) => Self::ReadFile { path, source },
            LoadError::Unread { path, source } => Self::ReadFile { path, source },
            LoadError::NoComposeFile { folder } => Self::NoComposeFile { folder },
            LoadError::Named { mistake, .. } | LoadError::Mistakes(mistake) => Self::Manifest(mistake),
        }
    }
}

/// Errors with the same cause and remedy share a code.
impl From<SupervisorError> for Error {
    fn from(error: SupervisorError) -> Self {
        match error {
            SupervisorError::Read { path, source } => Self::ReadFile { path, source },
            SupervisorError::Write { path, source } => Self::State { path, source },
            SupervisorError::Locked { pid } => Self::Locked { pid },
            other => Self::Supervisor(other),
        }
    }
}

impl Error {
    /// Whether an image ended because it needs an account's token.
    pub fn wants_account(&self) -> bool {
        matches!(self, Self::UnitFailed { log, .. } if log.iter().any(|line| line.contains(ACCOUNT)))
    }

    /// The last lines of the failed program's output, oldest first.
    pub fn log(&self) -> &[String] {
        match self {
            Self::Build(BuildError::Failed { output: log, .. } | BuildError::Unit { output: log, .. })
            | Self::UnitFailed { log, .. }
            | Self::SupervisorStart { log, .. } => log,
            _ => &[],
        }
    }
}

/// The variable that an image names in its log when it needs an account.
const ACCOUNT: &str = "LOCALSTACK_AUTH_TOKEN";

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(log: &str) -> Error {
        Error::UnitFailed { unit: "emulator".to_owned(), cause: "it died".to_owned(), log: vec![log.to_owned()] }
    }

    #[test]
    fn an_image_that_names_the_token_of_an_account_wants_one() {
        assert!(failed("License activation failed! set LOCALSTACK_AUTH_TOKEN").wants_account());
        assert!(!failed("Address already in use").wants_account());
        assert_eq!(failed("the end").log(), ["the end"]);
        assert_eq!(Error::Locked { pid: 7 }.log(), [""; 0]);
    }

    #[test]
    fn a_machine_without_files_left_is_to_blame_and_no_file() {
        const EMFILE: i32 = 24;
        const ENOENT: i32 = 2;
        let named = |raw| {
            let mistake = Mistakes { problems: Vec::new() };
            let source = std::io::Error::from_raw_os_error(raw);
            Error::from(LoadError::Named { path: "compose.yaml".into(), source, mistake })
        };
        assert!(matches!(named(EMFILE), Error::ReadFile { path, .. } if path == "compose.yaml"));
        assert!(matches!(named(ENOENT), Error::Manifest(_)));
    }

    #[test]
    fn errors_of_the_supervisors_files_share_the_code_of_the_commands_own() {
        let source = || std::io::Error::other("why");
        let path = || "units".into();
        assert!(matches!(SupervisorError::Read { path: path(), source: source() }.into(), Error::ReadFile { .. }));
        assert!(matches!(SupervisorError::Write { path: path(), source: source() }.into(), Error::State { .. }));
        assert!(matches!(SupervisorError::Locked { pid: 7 }.into(), Error::Locked { pid: 7 }));
        let denied = SupervisorError::Denied { path: path(), source: source() };
        assert!(matches!(denied.into(), Error::Supervisor(SupervisorError::Denied { .. })));
    }
}
