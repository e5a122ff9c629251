//! One command from its arguments to its exit code.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use camino::Utf8PathBuf;
use devenv_containers::host::ContainerHosts;
use devenv_engine::{Cancel, Canceller, Emitter, Error, ProjectOptions};
use devenv_model::event::Event;
use devenv_supervisor::server::{self, SuperviseOptions};
use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Arguments, Command, Global};
use crate::background::Background;
use crate::commands;
use crate::exit::Exit;
use crate::render::{self, Render, Style};
use crate::report::{Failure, exit};

/// What a command is given beside its own arguments.
pub(crate) struct Context {
    pub(crate) options: ProjectOptions,
    pub(crate) emitter: Emitter,
    pub(crate) cancel: Cancel,
    pub(crate) style: Style,
}

/// What a command has to say at its end: the same for people and for programs.
pub(crate) struct Outcome {
    /// For standard output; may be empty.
    pub(crate) text: String,
    /// The fields of the JSON result.
    pub(crate) fields: Map<String, Value>,
    pub(crate) exit: Exit,
}

impl Outcome {
    pub(crate) fn done(text: impl Into<String>, fields: &impl serde::Serialize) -> Self {
        let fields = match serde_json::to_value(fields) {
            Ok(Value::Object(fields)) => fields,
            Ok(other) => Map::from_iter([("value".to_owned(), other)]),
            Err(_) => Map::new(),
        };
        Self { text: text.into(), fields, exit: Exit::Done }
    }
}

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    // These are long-lived processes of their own kind, with nothing to render.
    match &arguments.command {
        Command::Emulator { arguments } => return emulator(arguments),
        Command::Supervise { instance } => return supervise(&arguments.global, instance),
        Command::Guard => return guard(&arguments.global),
        Command::Completions { shell } => return commands::completions::run(*shell),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(command(arguments));
            // A blocking read that never ends must not hold the command up.
            runtime.shutdown_background();
            exit.into()
        }
        Err(error) => complain(&format!("cannot start: {error}"), Exit::Failed),
    }
}

async fn command(arguments: Arguments) -> Exit {
    let style = Style::choose(&arguments.global);
    let render = Arc::new(Mutex::new(render::choose(&arguments.global, style)));
    let (emitter, mut events) = Emitter::channel();
    let (canceller, cancel) = Cancel::channel();
    let canceller = Arc::new(canceller);
    let name = arguments.command.name();
    let context = match directory(&arguments.global) {
        Ok(directory) => Context {
            options: ProjectOptions {
                directory,
                state_dir: arguments.global.state_dir.clone(),
                ephemeral: false,
                runtimes: Arc::new(ContainerHosts::new(Arc::new(devenv_docker::Docker::default()))),
            },
            emitter,
            cancel,
            style,
        },
        Err(error) => return finish(&render, name, Err(error.into()), Ok(())),
    };
    let drawing = Arc::clone(&render);
    let reader_gone = Arc::clone(&canceller);
    let pump = tokio::spawn(async move {
        let mut delivered = Ok(());
        while let Some(event) = events.recv().await {
            let drawn = draw(&drawing, &event);
            if delivered.is_ok() && drawn.is_err() {
                // Nobody reads on, as after `| head`, or the disk is full.
                reader_gone.cancel();
                delivered = drawn;
            }
        }
        delivered
    });
    let outcome = tokio::select! {
        outcome = commands::run(&context, arguments.command) => outcome,
        () = second_signal(&canceller) => Err(Error::Cancelled.into()),
    };
    drop(context);
    let delivered = pump.await.unwrap_or(Ok(()));
    finish(&render, name, outcome, delivered)
}

fn draw(render: &Mutex<Box<dyn Render>>, event: &Event) -> io::Result<()> {
    render.lock().map_or(Ok(()), |mut render| render.event(event))
}

/// `delivered` is what became of the events.
fn finish(
    render: &Mutex<Box<dyn Render>>,
    name: &str,
    outcome: Result<Outcome, Failure>,
    delivered: io::Result<()>,
) -> Exit {
    let Ok(mut render) = render.lock() else {
        return Exit::Failed;
    };
    match outcome {
        Ok(outcome) => {
            let delivered = delivered.and_then(|()| render.outcome(name, &outcome));
            printed(delivered, outcome.exit)
        }
        Err(failure) => {
            render.error(name, &failure);
            printed(delivered, failure.exit)
        }
    }
}

/// The exit of a command whose output is for somebody: it failed where its output is lost. A reader who has enough, as
/// `head` has, loses nothing.
pub(crate) fn printed(delivered: io::Result<()>, exit: Exit) -> Exit {
    match delivered {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "error: cannot write to standard output: {error}");
            Exit::Failed
        }
        _ => exit,
    }
}

/// The first signal asks the command to end in order; this resolves at the second one.
async fn second_signal(canceller: &Canceller) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        canceller.cancel();
    }
}

fn directory(global: &Global) -> Result<Utf8PathBuf, Error> {
    if let Some(directory) = &global.directory {
        return Ok(directory.clone());
    }
    let current = std::env::current_dir().and_then(|path| {
        Utf8PathBuf::from_path_buf(path)
            .map_err(|path| std::io::Error::other(format!("{} is not UTF-8", path.display())))
    });
    current.map_err(|source| Error::ReadFile { path: ".".into(), source })
}

fn emulator(arguments: &[String]) -> ExitCode {
    match devenv_emulator::parse(arguments.iter().cloned())
        .and_then(|options| devenv_emulator::run_until_signalled(&options))
    {
        Ok(()) => Exit::Done.into(),
        Err(error) => complain_as(&error.to_string(), ExitCode::from(error.exit_code())),
    }
}

fn supervise(global: &Global, instance: &str) -> ExitCode {
    let Some(state_dir) = global.state_dir.clone() else {
        return complain("supervise needs --state-dir", Exit::Usage);
    };
    // Its standard error is the file that `up` shows when the supervisor fails.
    let log = Background::stderr();
    tracing_subscriber::fmt().with_writer(move || log.clone()).with_ansi(false).with_target(false).init();
    // One thread: the supervisor relies on it when it hands a lock to a child.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("cannot start: {error}"), Exit::Failed),
    };
    let options = SuperviseOptions { state_dir, instance: instance.to_owned() };
    match runtime.block_on(server::supervise(options)) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            let error = Error::from(error);
            complain(&error.to_string(), exit(&error))
        }
    }
}

fn guard(global: &Global) -> ExitCode {
    let Some(state_dir) = &global.state_dir else {
        return complain("guard needs --state-dir", Exit::Usage);
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("cannot start: {error}"), Exit::Failed),
    };
    match runtime.block_on(devenv_testing::guard::guard(state_dir)) {
        Ok(()) => Exit::Done.into(),
        Err(error) => complain(&error.to_string(), crate::testing_report::describe(&error).1),
    }
}

fn complain(message: &str, exit: Exit) -> ExitCode {
    complain_as(message, exit.into())
}

fn complain_as(message: &str, exit: ExitCode) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {message}");
    exit
}
