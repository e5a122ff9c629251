//! One command from its arguments to its exit code.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use camino::Utf8PathBuf;
use devenv_model::event::Event;
use devenv_runtime::{Cancel, Canceller, Emitter, Error, ProjectOptions, Runtimes};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Command, Global};
use crate::exit::{Exit, printed};
use crate::outcome::Outcome;
use crate::recording::{Recording, unwritten};
use crate::render::{self, Render, Style};
use crate::report::Failure;

/// The command that passes signals on to the program that it runs, instead of ending at them.
const PASSES_SIGNALS_ON: &str = "exec";

/// The input of every command beside its own arguments.
pub struct Context {
    pub options: ProjectOptions,
    pub emitter: Emitter,
    pub cancel: Cancel,
    pub style: Style,
    /// Whether the person asked for results alone.
    pub quiet: bool,
}

/// A command's name, and whether the journal keeps its run.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    pub name: &'static str,
    pub is_recorded: bool,
}

impl Verb {
    pub fn of(command: &Command) -> Self {
        Self { name: command.name(), is_recorded: command.is_recorded() }
    }
}

/// Runs the command, keeps its events in the journal, and prints its result.
pub fn run<C>(global: &Global, verb: Verb, runtimes: Arc<dyn Runtimes>, command: C) -> ExitCode
where
    C: AsyncFnOnce(&Context) -> Result<Outcome, Failure>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(run_to_end(global, verb, runtimes, command));
            // A blocking read that never ends must not delay the exit.
            runtime.shutdown_background();
            exit
        }
        Err(error) => complain(&format!("cannot start: {error}"), Exit::Failed),
    }
}

/// Prints why the command of this name cannot begin.
pub fn refuse(global: &Global, name: &str, failure: Failure) -> ExitCode {
    let render = Mutex::new(render::choose(global, Style::choose(global)));
    finish(&render, name, Err(failure), Ok(()))
}

async fn run_to_end<C>(global: &Global, verb: Verb, runtimes: Arc<dyn Runtimes>, command: C) -> ExitCode
where
    C: AsyncFnOnce(&Context) -> Result<Outcome, Failure>,
{
    let name = verb.name;
    let style = Style::choose(global);
    let render = Arc::new(Mutex::new(render::choose(global, style)));
    let (emitter, mut events) = Emitter::channel();
    let (canceller, cancel) = Cancel::channel();
    let canceller = Arc::new(canceller);
    let context = match directory(global) {
        Ok(directory) => Context {
            options: ProjectOptions {
                directory,
                compose: global.compose.options(),
                state_dir: global.state_dir.clone(),
                ephemeral: false,
                runtimes,
            },
            emitter,
            cancel,
            style,
            quiet: global.quiet,
        },
        Err(error) => return finish(&render, name, Err(error.into()), Ok(())),
    };
    let mut recording = Recording::begin(&context.options, name, verb.is_recorded);
    let drawing = Arc::clone(&render);
    let reader_gone = Arc::clone(&canceller);
    let pump = tokio::spawn(async move {
        let mut delivered = Ok(());
        while let Some(event) = events.recv().await {
            let mut drawn = draw(&drawing, &event);
            if let Err(error) = recording.add(&event) {
                drawn = drawn.and_then(|()| draw(&drawing, &unwritten(&error)));
            }
            if delivered.is_ok() && drawn.is_err() {
                // The reader is gone, as after `| head`, or the disk is full.
                reader_gone.cancel();
                delivered = drawn;
            }
        }
        (delivered, recording)
    });
    let outcome = tokio::select! {
        outcome = command(&context) => outcome,
        () = second_signal(&canceller), if name != PASSES_SIGNALS_ON => Err(devenv_engine::Error::Cancelled.into()),
    };
    drop(context);
    let Ok((delivered, recording)) = pump.await else {
        return finish(&render, name, outcome, Ok(()));
    };
    let (exit, error) = match &outcome {
        Ok(outcome) => (outcome.passed.unwrap_or(outcome.exit as u8), None),
        Err(failure) => (failure.exit as u8, Some(failure.report.message.as_str())),
    };
    if let Err(error) = recording.end(exit, error).await {
        let _ = draw(&render, &unwritten(&error));
    }
    finish(&render, name, outcome, delivered)
}

fn draw(render: &Mutex<Box<dyn Render>>, event: &Event) -> io::Result<()> {
    render.lock().map_or(Ok(()), |mut render| render.event(event))
}

/// Prints the result. `delivered` is an error if an event could not be printed.
fn finish(
    render: &Mutex<Box<dyn Render>>,
    name: &str,
    outcome: Result<Outcome, Failure>,
    delivered: io::Result<()>,
) -> ExitCode {
    let Ok(mut render) = render.lock() else {
        return Exit::Failed.into();
    };
    match outcome {
        Ok(outcome) => {
            let delivered = delivered.and_then(|()| render.outcome(name, &outcome));
            match (printed(delivered, outcome.exit), outcome.passed) {
                (exit, Some(code)) if exit == outcome.exit => code.into(),
                (exit, _) => exit.into(),
            }
        }
        Err(failure) => {
            render.error(name, &failure);
            printed(delivered, failure.exit).into()
        }
    }
}

/// Cancels the command at the first signal; resolves at the second one.
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

pub fn complain(message: &str, exit: Exit) -> ExitCode {
    complain_as(message, exit.into())
}

pub fn complain_as(message: &str, exit: ExitCode) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {message}");
    exit
}
