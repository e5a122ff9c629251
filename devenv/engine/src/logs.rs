//! The units' logs: files of the supervisor, or the logs of a container engine.

use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::manifest::Manifest;
use devenv_model::unit::{EMULATOR, MESSAGES};
use devenv_runtime::{Cancel, Emitter, LogOptions, Project};
use devenv_supervisor::log_reader::{Followed, Line};

use crate::error::Error;
use crate::resolve;

/// The pause between two reads of followed files.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Emits the lines as `Event::Log`, oldest first across units; with `follow`, continues until cancelled.
pub async fn logs(project: &Project, options: &LogOptions, emitter: &Emitter, cancel: &Cancel) -> Result<(), Error> {
    let units = units(project, &options.services)?;
    let runtime = resolve::current(project).await?.connect(project).await?;
    if runtime.logs(&units, options, emitter, cancel).await? {
        return Ok(());
    }
    let mut files: Vec<Followed> =
        units.into_iter().map(|unit| Followed::new(unit.clone(), project.state.log(&unit))).collect();
    let mut lines = Vec::new();
    // Without a filter, only the last lines have to be read.
    let tail = options.tail.filter(|_| options.since.is_none() && options.grep.is_none());
    for file in &mut files {
        let mut backlog = file.backlog(tail);
        backlog.retain(|line| options.wants(|| line.time.parse().ok(), &line.text));
        options.trim(&mut backlog);
        lines.extend(backlog);
    }
    loop {
        lines.sort_by(|one: &Line, other| one.time.cmp(&other.time));
        for line in lines.drain(..) {
            emitter.emit(options.event(&line.unit, &line.time, line.text));
        }
        if !options.follow {
            return Ok(());
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        for file in &mut files {
            lines.extend(file.news().into_iter().filter(|line| options.wants(|| line.time.parse().ok(), &line.text)));
        }
    }
}

fn units(project: &Project, services: &[String]) -> Result<Vec<String>, Error> {
    let manifest = &project.manifest;
    if services.is_empty() {
        return Ok(manifest.units().chain(own(manifest)).collect());
    }
    let mut units = Vec::new();
    for name in services {
        match manifest.services.get(name) {
            Some(service) => units.extend(service.units()),
            // One replica of several.
            None if own(manifest).any(|own| own == *name) || manifest.service_of(name).is_some() => {
                units.push(name.clone());
            }
            None => {
                let known = manifest.services.keys().cloned().chain(own(manifest)).collect();
                return Err(Error::UnknownService { name: name.clone(), known });
            }
        }
    }
    Ok(units)
}

/// The units of devenv's own.
fn own(manifest: &Manifest) -> impl Iterator<Item = String> {
    [EMULATOR, MESSAGES].into_iter().chain(manifest.functions.host()).map(str::to_owned)
}

/// The paths of all log files of an environment, for a failure's bundle.
pub fn log_files(project: &Project) -> Vec<Utf8PathBuf> {
    let units = project.manifest.units().chain(own(&project.manifest));
    units.map(|unit| project.state.log(&unit)).chain([project.state.supervisor_log()]).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use devenv_fakes::FakeProject;
    use devenv_model::event::Event;

    use super::*;
    use regex_lite::Regex;
    use tokio::sync::mpsc;

    /// A project whose emulator has one log line and whose `api` has an older and a newer one.
    fn written() -> (FakeProject, Project) {
        let fake = FakeProject::new();
        let project = fake.load();
        for (unit, lines) in [("api", "10:00 one\n10:02 three\n"), ("emulator", "10:01 two\n")] {
            let path = project.state.log(unit);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(path, lines).expect("writable");
        }
        (fake, project)
    }

    fn lines(events: &mut mpsc::UnboundedReceiver<Event>) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(event) = events.try_recv() {
            if let Event::Log { unit, line, .. } = event {
                lines.push(format!("{unit}: {line}"));
            }
        }
        lines
    }

    #[tokio::test]
    async fn lines_of_all_units_come_in_the_order_of_their_times() {
        let (_fake, project) = written();
        let (emitter, mut events) = Emitter::channel();
        logs(&project, &LogOptions::default(), &emitter, &Cancel::never()).await.expect("readable");
        assert_eq!(lines(&mut events), ["api: one", "emulator: two", "api: three"]);
        let last = LogOptions { services: vec!["api".to_owned()], tail: Some(1), ..LogOptions::default() };
        logs(&project, &last, &emitter, &Cancel::never()).await.expect("readable");
        assert_eq!(lines(&mut events), ["api: three"]);
    }

    #[tokio::test]
    async fn lines_are_left_out_by_time_and_by_pattern_before_the_last_ones_are_counted() {
        let (_fake, project) = written();
        let minute = |minute: u32| format!("2026-01-01T10:{minute:02}:00.000Z");
        let log = [(1, "GET /a"), (2, "POST /a"), (3, "GET /b"), (4, "POST /b")]
            .map(|(at, text)| format!("{} {text}\n", minute(at)))
            .concat();
        std::fs::write(project.state.log("api"), log).expect("writable");
        let read = async |options: LogOptions| {
            let (emitter, mut events) = Emitter::channel();
            let options = LogOptions { services: vec!["api".to_owned()], ..options };
            logs(&project, &options, &emitter, &Cancel::never()).await.expect("readable");
            lines(&mut events)
        };
        let since = Some(minute(2).parse().expect("a time"));
        let late = read(LogOptions { since, ..LogOptions::default() }).await;
        assert_eq!(late, ["api: POST /a", "api: GET /b", "api: POST /b"]);
        let grep = Some(Regex::new("^GET").expect("a pattern"));
        let last = LogOptions { grep: grep.clone(), tail: Some(1), ..LogOptions::default() };
        assert_eq!(read(last).await, ["api: GET /b"], "the last match, not the match among the last");
        assert_eq!(read(LogOptions { since, grep, ..LogOptions::default() }).await, ["api: GET /b"]);
    }

    #[tokio::test]
    async fn an_unknown_service_is_named_with_the_known_ones() {
        let (_fake, project) = written();
        let (emitter, _events) = Emitter::channel();
        let options = LogOptions { services: vec!["ghost".to_owned()], ..LogOptions::default() };
        match logs(&project, &options, &emitter, &Cancel::never()).await {
            Err(Error::UnknownService { name, known }) => {
                assert_eq!(name, "ghost");
                assert!(known.contains(&"emulator".to_owned()) && known.contains(&"api".to_owned()), "{known:?}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn followed_logs_print_new_lines_until_the_command_is_cancelled() {
        let (_fake, project) = written();
        let (emitter, mut events) = Emitter::channel();
        let (canceller, cancel) = Cancel::channel();
        let options =
            LogOptions { services: vec!["api".to_owned()], tail: Some(0), follow: true, ..LogOptions::default() };
        let following = logs(&project, &options, &emitter, &cancel);
        let writing = async {
            tokio::time::sleep(LOOK_EVERY).await;
            let mut log = std::fs::File::options().append(true).open(project.state.log("api")).expect("it is there");
            log.write_all(b"10:03 four\n").expect("writable");
            let line = events.recv().await;
            canceller.cancel();
            line
        };
        let (followed, line) = tokio::join!(following, writing);
        followed.expect("readable");
        assert!(matches!(&line, Some(Event::Log { line, .. }) if line == "four"), "{line:?}");
        assert!(cancel.is_cancelled());
    }

    #[test]
    fn a_bundle_takes_the_log_of_every_unit_and_of_the_supervisor() {
        let (_fake, project) = written();
        let files = log_files(&project);
        for expected in [project.state.log("api"), project.state.log("emulator"), project.state.supervisor_log()] {
            assert!(files.contains(&expected), "{expected} is not in {files:?}");
        }
    }
}
