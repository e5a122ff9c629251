//! The only place that gives an error its stable code, its exit code and the next command to type.

use camino::Utf8Path;
use devenv_artifacts::error::BuildError;
use devenv_document::problem::{Mistakes, Problem, ProblemReport};
use devenv_engine::Error;
use devenv_resources::error::Error as ResourceError;
use devenv_runtime::{Error as RuntimeError, HostError, HostErrorKind, NoHost};
use devenv_supervisor::error::Error as SupervisorError;
use devenv_supervisor::unwritable::{Unwritable, unwritable};
use serde::Serialize;

use crate::exit::Exit;

/// An error, ready to print.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    /// The last lines of the failed program.
    pub log: Vec<String>,
    pub exit_code: u8,
    /// Mistakes in the files, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ProblemReport>,
}

/// The failure of a command, ready to print.
#[derive(Debug)]
pub struct Failure {
    pub report: Box<Report>,
    pub exit: Exit,
    /// Mistakes in the files, to be drawn in their places.
    pub mistakes: Option<Mistakes>,
}

impl Failure {
    pub fn new(message: String, log: &[String], (code, exit, hint): Told) -> Self {
        let report = Report { code, message, hint, log: log.to_vec(), exit_code: exit as u8, problems: Vec::new() };
        Self { report: Box::new(report), exit, mistakes: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(error.to_string(), error.log(), describe(&error));
        if let Error::Runtime(RuntimeError::Manifest(mistakes)) = error {
            failure.report.problems = mistakes.problems.iter().map(Problem::report).collect();
            failure.mistakes = Some(mistakes);
        }
        failure
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        Error::from(error).into()
    }
}

/// An error's code, its exit code, and its hint.
pub type Told = (&'static str, Exit, Option<String>);

pub fn exit(error: &Error) -> Exit {
    describe(error).1
}

pub fn describe(error: &Error) -> Told {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        Error::Runtime(error) => runtime(error),
        Error::UnknownService { .. } => ("unknown_service", Exit::Usage, hint("devenv status lists the services")),
        Error::NotAProcess { service } => {
            let text = format!("add its command: [services.{service}.process] package = \"...\" in devenv.toml");
            ("not_a_process", Exit::ConfigurationInvalid, Some(text))
        }
        Error::NoPostgres { cause, .. } => {
            let text = format!("{}\n      or in a container: devenv up --runtime docker", cause.remedy());
            ("no_postgresql", Exit::PrerequisiteMissing, Some(text))
        }
        Error::ResetDatabase { service, .. } => {
            ("reset_database", Exit::Failed, Some(format!("devenv logs {service}")))
        }
        Error::NeedsEngine { services, none } => {
            let service = services.first().map_or("NAME", String::as_str);
            let text = format!(
                "{}\n      or without containers: add [services.{service}.process] with its command to devenv.toml",
                none.remedy
            );
            ("no_engine", Exit::PrerequisiteMissing, Some(text))
        }
        Error::NeedsContainers { emulator } => {
            let text = format!("devenv up --runtime docker --emulator {emulator}");
            ("needs_containers", Exit::Usage, Some(text))
        }
        Error::NoFreePort { .. } => ("no_free_port", Exit::Failed, hint("devenv doctor")),
        Error::Template { .. } => ("template", Exit::ConfigurationInvalid, hint("see devenv.schema.json")),
        Error::NotLocal { .. } => {
            ("not_local", Exit::ConfigurationInvalid, hint("set it to \"${emulator}\" in devenv.toml"))
        }
        Error::Resource(error) => resource(error),
        Error::Deadline { unit, .. } => {
            let text = unit.as_ref().map_or_else(|| "devenv logs".to_owned(), |unit| format!("devenv logs {unit}"));
            ("deadline", Exit::NotReadyInTime, Some(format!("{text}, or raise the limit: devenv up --timeout 5m")))
        }
        Error::NotStarted { service } => ("not_started", Exit::Failed, Some(format!("devenv up -d {service}"))),
        Error::Cancelled => ("interrupted", Exit::Interrupted, None),
    }
}

fn runtime(error: &RuntimeError) -> Told {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        RuntimeError::NoManifest { .. } => (
            "no_manifest",
            Exit::ConfigurationInvalid,
            hint("devenv init writes one here; or name another project's folder: devenv -C DIR up"),
        ),
        RuntimeError::NoComposeFile { .. } => (
            "no_compose_file",
            Exit::ConfigurationInvalid,
            hint("write a compose.yaml, or name the file: devenv up -f FILE"),
        ),
        RuntimeError::Manifest(_) => {
            ("manifest", Exit::ConfigurationInvalid, hint("fix the file, then: devenv up --dry-run"))
        }
        RuntimeError::ReadFile { path, source } if unwritable(path, source) == Unwritable::TooManyFiles => {
            ("too_many_files", Exit::Failed, hint(TOO_MANY_FILES))
        }
        RuntimeError::ReadFile { .. } => (
            "read_file",
            Exit::ConfigurationInvalid,
            hint("check the file's name, in devenv.toml or after -f, and its permissions"),
        ),
        RuntimeError::State { path, source } => ("state", Exit::Failed, Some(state_hint(path, source))),
        RuntimeError::StateFormat { .. } => {
            ("state_format", Exit::ConfigurationInvalid, hint("use the newer devenv, or remove .devenv"))
        }
        RuntimeError::CannotRun { .. } => {
            ("cannot_run", Exit::ConfigurationInvalid, hint("devenv up --help lists the runtimes"))
        }
        RuntimeError::Host(error) => engine(error),
        RuntimeError::NoHost(none) => ("no_engine", Exit::PrerequisiteMissing, Some(no_engine_hint(none))),
        RuntimeError::NoFunctionHostImage { .. } => {
            let text = "run them as processes: devenv up --runtime process, or leave out their Compose profile";
            ("no_function_host_image", Exit::PrerequisiteMissing, hint(text))
        }
        RuntimeError::NoEmulatorImage { emulator } => {
            let text = if *emulator == "embedded" {
                "put the static devenv-emulator beside devenv (docs/install.md), or add [emulator.embedded] package or image = \"...\" \
                 to devenv.toml"
                    .to_owned()
            } else {
                format!("add [emulator.{emulator}] image = \"...\" to devenv.toml")
            };
            ("no_emulator_image", Exit::ConfigurationInvalid, Some(text))
        }
        RuntimeError::ImageAbsent { image, .. } => ("image_absent", Exit::PrerequisiteMissing, Some(image_hint(image))),
        RuntimeError::NoImage { .. } => ("no_image", Exit::Failed, hint("devenv doctor")),
        RuntimeError::Build(error) => build(error),
        RuntimeError::Unset { variable, .. } => {
            let help = format!("export {variable}, or add it to .env beside the Compose file");
            ("variable_unset", Exit::ConfigurationInvalid, Some(help))
        }
        error if error.wants_account() => ("account_wanted", Exit::PrerequisiteMissing, Some(account_hint())),
        RuntimeError::UnitFailed { unit, .. } => ("unit_failed", Exit::Failed, Some(format!("devenv logs {unit}"))),
        RuntimeError::NotRunning { .. } => ("not_running", Exit::Failed, hint("devenv up -d")),
        RuntimeError::Exec { .. } => ("exec", Exit::Failed, hint("check the program's name and its permissions")),
        RuntimeError::OtherUser { .. } => ("other_user", Exit::Usage, hint("leave out --user")),
        RuntimeError::Locked { .. } => ("locked", Exit::Locked, hint("wait until it ends, then try again")),
        RuntimeError::SupervisorStart { .. } => ("supervisor_start", Exit::Failed, hint("devenv doctor")),
        RuntimeError::Supervisor(error) => supervisor(error),
    }
}

fn build(error: &BuildError) -> (&'static str, Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        BuildError::CargoMissing { .. } => ("cargo_missing", Exit::PrerequisiteMissing, hint("devenv doctor")),
        // Some systems leave the static C library out of their compiler's package.
        BuildError::Failed { output, .. } if output.iter().any(|line| line.contains("cannot find -lc")) => (
            "no_static_libc",
            Exit::PrerequisiteMissing,
            hint("install the static C library (glibc-static), or: devenv up --build-in-docker"),
        ),
        BuildError::Failed { output, .. } if output.iter().any(|line| line.contains("no bin target named")) => (
            "not_a_default_member",
            Exit::ConfigurationInvalid,
            hint("list the package in members and default-members of Cargo.toml"),
        ),
        BuildError::Failed { packages, .. } => {
            ("build", Exit::Failed, Some(format!("cargo build --package {}", packages.join(" --package "))))
        }
        BuildError::Unit { remedy, .. } => ("build", Exit::Failed, Some(remedy.clone())),
        BuildError::Files { source, .. } => ("build_files", Exit::ConfigurationInvalid, Some(source.remedy())),
        BuildError::NoBinary { .. } => {
            ("no_binary", Exit::ConfigurationInvalid, hint("give the package and its binary the same name"))
        }
    }
}

/// Errors between a command and its supervisor.
fn supervisor(error: &SupervisorError) -> Told {
    use SupervisorError as E;
    let hint = |text: &str| Some(text.to_owned());
    match error {
        E::Read { .. } => ("read_file", Exit::Failed, hint("check the file's permissions")),
        E::Write { path, source } => ("state", Exit::Failed, Some(state_hint(path, source))),
        E::Locked { .. } => ("locked", Exit::Locked, hint("wait until it ends, then try again")),
        E::Denied { .. } => {
            let text = format!("run devenv as the owner of this environment, or start your own: {ELSEWHERE}");
            ("permission_denied", Exit::Failed, Some(text))
        }
        E::Version { found, known, .. } if found < known => (
            "supervisor_version",
            Exit::Failed,
            hint("devenv up -d replaces it and keeps the data; devenv down ends it"),
        ),
        E::Version { program, .. } => {
            let newer = program.as_ref().map_or("devenv", |program| program.as_str());
            let text = format!("a newer devenv started it: use that one, or end the environment with it: {newer} down");
            ("supervisor_version", Exit::Failed, Some(text))
        }
        E::Lost { .. } => ("supervisor_lost", Exit::Failed, hint("devenv up repairs the environment")),
        E::Silent { pid } => {
            let text =
                format!("wait if it is stopping its units; otherwise: kill -9 {pid}, then devenv up or devenv down");
            ("supervisor_silent", Exit::Failed, Some(text))
        }
        E::Untrusted { remedy, .. } => ("untrusted", Exit::Failed, Some(remedy.clone())),
        E::Refused { .. } => ("refused", Exit::Failed, hint("devenv status")),
    }
}

fn resource(error: &ResourceError) -> Told {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        ResourceError::OutOfReach { .. } => {
            ("out_of_reach", Exit::Usage, hint("devenv up --runtime process --emulator-url URL"))
        }
        ResourceError::Lacks { .. } => {
            ("emulator_lacks", Exit::Failed, hint("use devenv's own emulator: devenv up -d --emulator embedded"))
        }
        ResourceError::UnknownQueue { .. } => ("unknown_queue", Exit::Usage, hint("devenv resources lists the queues")),
        ResourceError::NoDeadLetterQueue { .. } => {
            ("no_dead_letter_queue", Exit::Usage, hint("add a RedrivePolicy to the queue's file: docs/resources.md"))
        }
        ResourceError::MoveFailed { reason, queue, .. } if reason == "CouldNotDetermineMessageSource" => (
            "redrive_failed",
            Exit::Failed,
            Some(format!(
                "messages stay that no queue has given up: devenv resources redrive QUEUE moves them to QUEUE, if {queue} has the dead letters of that queue alone; devenv resources purge {queue} deletes them"
            )),
        ),
        ResourceError::MoveFailed { .. } => ("redrive_failed", Exit::Failed, hint("devenv logs emulator")),
        ResourceError::MoveStalled { .. } => ("redrive_stalled", Exit::NotReadyInTime, hint("devenv logs emulator")),
        ResourceError::Differs { .. } => (
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
        format!("the image refused the token in {ACCOUNT}: replace it with a valid one")
    } else {
        format!(
            "this image needs an account: set {ACCOUNT}, or name an image that needs none in devenv.toml, such as localstack/localstack:4.14.0"
        )
    }
}

fn engine(error: &HostError) -> Told {
    let hint = |text: &str| Some(text.to_owned());
    match error.kind {
        HostErrorKind::DiskFull => {
            ("disk_full", Exit::Failed, hint("free some space (docker system prune, cargo clean), then try again"))
        }
        HostErrorKind::PortTaken => ("port_taken", Exit::Failed, hint("devenv doctor names the program that holds it")),
        HostErrorKind::Unreachable => (
            "engine_lost",
            Exit::PrerequisiteMissing,
            hint("start the engine again; devenv up repairs the environment"),
        ),
        HostErrorKind::Conflict | HostErrorKind::NotFound | HostErrorKind::Other => {
            ("engine", Exit::Failed, hint("devenv status"))
        }
    }
}

fn no_engine_hint(none: &NoHost) -> String {
    format!("{}\n      or without containers: devenv up --runtime process", none.remedy)
}

/// A machine that reaches no registry builds an emulator's image from a recipe.
fn image_hint(image: &str) -> String {
    format!("docker pull {image}; without a registry, build it: see dynamodb-local/README.md or localstack/README.md")
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
const TOO_MANY_FILES: &str = "the limit of open files is reached: ulimit -n 4096, then try again";

/// The path that `chmod -R` needs: the folder named `.devenv`, or the file itself if the state is elsewhere.
fn folder_of_state(path: &Utf8Path) -> &Utf8Path {
    path.ancestors().find(|part| part.file_name() == Some(".devenv")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: i32) -> Report {
        *Failure::from(RuntimeError::ReadFile {
            path: "compose.yaml".into(),
            source: std::io::Error::from_raw_os_error(raw),
        })
        .report
    }

    #[test]
    fn a_machine_that_has_no_more_files_is_not_a_wrong_configuration() {
        const EMFILE: i32 = 24;
        const EACCES: i32 = 13;
        assert_eq!((of(EMFILE).code, of(EMFILE).exit_code), ("too_many_files", Exit::Failed as u8));
        assert_eq!((of(EACCES).code, of(EACCES).exit_code), ("read_file", Exit::ConfigurationInvalid as u8));
    }

    #[test]
    fn a_build_that_failed_has_a_remedy_where_its_cause_is_known() {
        for (line, code, exit, remedy) in [
            ("/usr/bin/ld: cannot find -lc: No such file", "no_static_libc", Exit::PrerequisiteMissing, "glibc-static"),
            (
                "error: no bin target named `mailer` in default-run packages",
                "not_a_default_member",
                Exit::ConfigurationInvalid,
                "default-members of Cargo.toml",
            ),
            ("error[E0308]: mismatched types", "build", Exit::Failed, "cargo build --package mailer"),
        ] {
            let error = BuildError::Failed { packages: vec!["mailer".to_owned()], output: vec![line.to_owned()] };
            let report = *Failure::from(RuntimeError::from(error)).report;
            assert_eq!((report.code, report.exit_code), (code, exit as u8), "{line}");
            assert!(report.hint.as_deref().is_some_and(|hint| hint.contains(remedy)), "{:?}", report.hint);
        }
    }

    #[test]
    fn a_hint_names_the_folder_of_the_state() {
        assert_eq!(folder_of_state("/shop/.devenv/units/a.lock".into()), "/shop/.devenv");
        assert_eq!(folder_of_state("/elsewhere/state.json".into()), "/elsewhere/state.json");
    }
}
