//! The life of a service's process, from its arguments to its exit code.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use crate::{
    config::{Common, ConfigError, Environment},
    identity::{Identity, Service},
    logging,
    probe::healthcheck,
    server::StartError,
};

/// `EX_USAGE` of sysexits: arguments or environment variables are wrong, and a restart will not help.
const USAGE: u8 = 64;

/// Requests mostly wait for the network, so two threads suffice and keep the memory of idle threads small.
const WORKER_THREADS: usize = 2;

/// A word that selects one of several kinds of work.
#[derive(Debug, Clone, Copy)]
pub struct Subcommand {
    pub name: &'static str,
    /// What the program then does, for its help.
    pub purpose: &'static str,
}

/// Runs a service's process: without arguments it serves, with `healthcheck` it probes the running service.
pub fn main<C, F>(
    identity: Identity,
    read: impl FnOnce(&Environment) -> Result<C, ConfigError>,
    run: impl FnOnce(Service, C) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), StartError>>,
{
    main_with(identity, &[], |environment, _| read(environment), run)
}

/// Runs the process of a service that has several kinds of work: its first argument is the name of one. `read` gets that name.
pub fn main_with<C, F>(
    identity: Identity,
    subcommands: &[Subcommand],
    read: impl FnOnce(&Environment, &str) -> Result<C, ConfigError>,
    run: impl FnOnce(Service, C) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), StartError>>,
{
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let environment = Environment::of_process();
    let work = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] if subcommands.is_empty() => "",
        [name] if subcommands.iter().any(|subcommand| subcommand.name == name) => name,
        ["healthcheck"] => {
            return match healthcheck(&environment) {
                Ok(()) => ExitCode::SUCCESS,
                Err(reason) => complain(&identity, reason, ExitCode::FAILURE),
            };
        }
        ["--version" | "-V"] => return say(format_args!("{} {}", identity.name, identity.version)),
        ["--help" | "-h"] => return say(format_args!("{}", usage(&identity, subcommands))),
        _ => {
            return complain(
                &identity,
                format_args!("unknown arguments {arguments:?}\n{}", usage(&identity, subcommands)),
                ExitCode::from(USAGE),
            );
        }
    };
    started(identity, &environment, |environment| read(environment, work), run)
}

/// Runs the process of a Lambda function: it has no port, and nothing to probe.
pub fn function<C, F>(
    identity: Identity,
    read: impl FnOnce(&Environment) -> Result<C, ConfigError>,
    run: impl FnOnce(Service, C) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), StartError>>,
{
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if !arguments.is_empty() {
        let problem = format_args!("unknown arguments {arguments:?}; everything is configured by the environment");
        return complain(&identity, problem, ExitCode::from(USAGE));
    }
    started(identity, &Environment::of_process(), read, run)
}

fn started<C, F>(
    identity: Identity,
    environment: &Environment,
    read: impl FnOnce(&Environment) -> Result<C, ConfigError>,
    run: impl FnOnce(Service, C) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), StartError>>,
{
    let configured = Common::read(environment).and_then(|common| Ok((common, read(environment)?)));
    let (common, config) = match configured {
        Ok(configured) => configured,
        Err(error) => return complain(&identity, error, ExitCode::from(USAGE)),
    };
    logging::start(identity.name, &common);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .map_err(StartError::Runtime);
    let served = runtime.and_then(|runtime| {
        let served = runtime.block_on(run(Service { identity, common }, config));
        // The drain has already waited for the remaining tasks.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&identity, error, ExitCode::FAILURE),
    }
}

fn usage(identity: &Identity, subcommands: &[Subcommand]) -> String {
    let serve = Subcommand { name: "", purpose: "serve; everything else is configured by the environment" };
    let works = if subcommands.is_empty() { &[serve] } else { subcommands };
    let probe = Subcommand {
        name: "healthcheck",
        purpose: "ask /livez of the service that BIND_ADDR names; exit 0 when it answers",
    };
    let lines =
        works.iter().chain([&probe]).map(|work| format!("{} {:11}   {}", identity.name, work.name, work.purpose));
    format!("usage: {}", lines.collect::<Vec<_>>().join("\n       "))
}

fn say(text: fmt::Arguments) -> ExitCode {
    let _ = writeln!(io::stdout(), "{text}");
    ExitCode::SUCCESS
}

fn complain(identity: &Identity, error: impl fmt::Display, code: ExitCode) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}: {error}", identity.name);
    code
}
