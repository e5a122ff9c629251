//! Readiness: a unit is ready when its own process, and no other, answers.

use std::time::{Duration, Instant};

use crate::unit_spec::UnitSpec;
use camino::Utf8PathBuf;
use devenv_model::unit::Probe;

use crate::listeners::{Answerer, Seen, answerer, target};
use crate::log::Log;
use crate::port_holder::port_holder;
use crate::probe::{Prober, pause_after};
use crate::surroundings::Surroundings;

/// A unit without a probe is ready after this time: a program that cannot run ends sooner.
const LIVES: Duration = Duration::from_millis(100);

/// The readiness check of one process of a unit.
#[derive(Debug)]
pub(crate) struct Readiness {
    name: String,
    probe: Probe,
    prober: Prober,
    lock: Utf8PathBuf,
    pid: u32,
}

impl Readiness {
    pub(crate) fn of(spec: &UnitSpec, surroundings: &Surroundings, pid: u32) -> Self {
        Self {
            name: spec.name.clone(),
            probe: spec.probe.clone(),
            prober: surroundings.prober.clone(),
            lock: surroundings.directory.unit_lock(&spec.name),
            pid,
        }
    }

    /// Resolves when the process, which was started at this time of [`crate::clock::monotonic`], answers. An answer from another program does
    /// not count; the log names that program.
    pub(crate) async fn reached(&self, started: u64, log: &Log) {
        match self.probe {
            Probe::Started => return tokio::time::sleep(LIVES).await,
            Probe::Completed => return std::future::pending().await,
            _ => {}
        }
        let begin = Instant::now();
        let (seen, mut is_told) = (Seen::default(), false);
        loop {
            if self.prober.passes_since(&self.probe, started).await {
                if !self.is_another_programs(&seen) {
                    return;
                }
                if !is_told {
                    log.note(&self.whose());
                    is_told = true;
                }
            }
            tokio::time::sleep(pause_after(begin.elapsed())).await;
        }
    }

    pub(crate) async fn passes(&self) -> bool {
        self.prober.passes(&self.probe).await
    }

    pub(crate) fn is_another_programs(&self, seen: &Seen) -> bool {
        let answerer = target(&self.probe).map(|target| answerer(target, self.pid, &self.lock, seen));
        answerer == Some(Answerer::AnotherProgram)
    }

    fn whose(&self) -> String {
        let port = target(&self.probe).map_or(0, |target| target.port());
        let holder = port_holder(port).map(|holder| format!("{} (process {})", holder.program, holder.pid));
        format!("{} answers on port {port} of {}", holder.as_deref().unwrap_or("another program"), self.name)
    }
}
