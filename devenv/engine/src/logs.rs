//! The units' logs: files of the supervisor, or the logs of a container engine.

use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::event::Event;
use devenv_supervisor::log_reader::Followed;

use crate::cancel::Cancel;
use crate::emitter::Emitter;
use crate::error::Error;
use crate::project::Project;
use crate::{desired, resolve};

/// The pause between two reads of followed files.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// The names of units; every service and the emulator if empty.
    pub services: Vec<String>,
    /// The number of old lines of each unit; all kept lines if `None`.
    pub tail: Option<usize>,
    pub follow: bool,
}

/// Emits the lines as [`Event::Log`], oldest first across units; with `follow`, continues until cancelled.
pub async fn logs(project: &Project, options: &LogOptions, emitter: &Emitter, cancel: &Cancel) -> Result<(), Error> {
    let units = units(project, &options.services)?;
    let runtime = resolve::current(project).await?.connect(project).await?;
    if runtime.logs(&units, options, emitter, cancel).await? {
        return Ok(());
    }
    let mut files: Vec<Followed> =
        units.into_iter().map(|unit| Followed::new(unit.clone(), project.state.log(&unit))).collect();
    let mut lines = Vec::new();
    for file in &mut files {
        lines.extend(file.backlog(options.tail));
    }
    loop {
        lines.sort_by(|one, other| one.time.cmp(&other.time));
        for line in lines.drain(..) {
            emitter.emit(Event::Log { unit: line.unit, line: line.text });
        }
        if !options.follow {
            return Ok(());
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        for file in &mut files {
            lines.extend(file.news());
        }
    }
}

fn units(project: &Project, services: &[String]) -> Result<Vec<String>, Error> {
    let mut known: Vec<String> = project.manifest.services.keys().cloned().collect();
    known.push(devenv_model::unit::EMULATOR.to_owned());
    if services.is_empty() {
        return Ok(known);
    }
    match services.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(Error::UnknownService { name: name.clone(), known }),
        None => Ok(services.to_vec()),
    }
}

/// The paths of all log files of an environment, for a failure's bundle.
pub fn log_files(project: &Project) -> Vec<Utf8PathBuf> {
    let services = desired::selected(project, &[]).unwrap_or_default();
    let names = services.iter().map(|service| service.name.as_str()).chain([devenv_model::unit::EMULATOR]);
    names.map(|unit| project.state.log(unit)).chain([project.state.supervisor_log()]).collect()
}
