use std::rc::Rc;
use std::time::Duration;

use camino::Utf8PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::answers::Supervisor;
use crate::error::Error;
use crate::place::Place;
use crate::state_directory::StateDirectory;

/// The interval between two checks of the runtime directory. Commands find a supervisor whose directory is gone by its lock in the
/// state directory; this is for the time when both are gone.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// The arguments of the hidden `supervise` command.
#[derive(Debug, Clone)]
pub struct SuperviseOptions {
    pub state_dir: Utf8PathBuf,
    /// Shown to people in process listings; it decides nothing.
    pub instance: String,
}

/// Runs until a shutdown request, a signal, or the loss of its owner. Every unit has ended when it returns.
///
/// Call it on a single-threaded runtime: no other process may be spawned while a unit is.
pub async fn supervise(options: SuperviseOptions) -> Result<(), Error> {
    supervise_in(StateDirectory::new(&options.state_dir), &options.instance).await
}

/// [`supervise`] with the given places of files.
pub async fn supervise_in(state: StateDirectory, instance: &str) -> Result<(), Error> {
    // Before the lock: a process that finds the lock taken may send a signal at once.
    let mut signals = Signals::listen().map_err(|source| Error::Write { path: state.socket(), source })?;
    let mut place = Place::take(&state)?;
    let supervisor = Rc::new(Supervisor::new(state.clone()));
    tracing::info!(instance, "supervisor started");
    // The command that started this process waits for this line.
    announce().map_err(|source| Error::Write { path: state.socket(), source })?;
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            serve(&supervisor, &mut place, &mut signals).await;
            supervisor.end().await;
        })
        .await;
    place.leave();
    tracing::info!("supervisor ended");
    Ok(())
}

/// Answers until the end begins.
async fn serve(supervisor: &Rc<Supervisor>, place: &mut Place, signals: &mut Signals) {
    loop {
        tokio::select! {
            stream = place.door.next() => {
                // Somebody may have removed the state directory (`git clean -fdx`), which this command reads next.
                if let Err(error) = place.restore(supervisor.memory().as_deref()) {
                    tracing::warn!(%error, "cannot make the removed files again");
                }
                tokio::task::spawn_local(Rc::clone(supervisor).converse(stream));
            }
            _ = signals.hangup.recv() => match place.restore(supervisor.memory().as_deref()) {
                Ok(()) => {}
                Err(error @ Error::Locked { .. }) => {
                    tracing::warn!(%error, "another supervisor has this environment");
                    return;
                }
                Err(error) => tracing::warn!(%error, "cannot make the removed files again"),
            },
            () = tokio::time::sleep(CHECK_EVERY) => if let Err(error) = place.restore_runtime() {
                tracing::warn!(%error, "cannot make the runtime directory again");
            },
            () = supervisor.ending() => return,
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// A command that cannot find this process's files sends SIGHUP.
    hangup: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

fn announce() -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout();
    out.write_all(b"ready\n")?;
    out.flush()
}
