//! The containers' logs, from the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::engine::{LogLine, LogQuery};
use crate::runtime::ContainerRuntime;
use devenv_runtime::{Cancel, Emitter, Error, LogOptions};

/// The delay before following a container again after it ended or was missing.
const AGAIN: Duration = Duration::from_millis(200);

impl ContainerRuntime {
    /// Emits the units' log lines, oldest first across all units; with `follow`, continues, also across a replaced
    /// container. Returns `false` if there are no containers: their logs are files by then.
    pub(crate) async fn logs(
        &self,
        units: &[String],
        options: &LogOptions,
        emitter: &Emitter,
        cancel: &Cancel,
    ) -> Result<bool, Error> {
        let ours = self.ours().await?;
        if !options.follow && !units.iter().any(|unit| ours.contains_key(unit)) {
            return Ok(false);
        }
        // The engine knows no pattern: the last matches may be anywhere.
        let query = LogQuery {
            tail: options.tail.filter(|_| options.grep.is_none()),
            since: options.since.map(Timestamp::as_second),
            follow: false,
        };
        let backlogs = join_all(units.iter().map(|unit| self.backlog(unit, &query))).await;
        let mut seen: BTreeMap<&str, Timestamp> = BTreeMap::new();
        let mut lines: Vec<(&str, LogLine)> = Vec::new();
        for (unit, mut backlog) in units.iter().zip(backlogs) {
            seen.insert(unit, backlog.last().map_or_else(Timestamp::now, |line| line.time));
            backlog.retain(|line| options.wants(|| Some(line.time), &line.text));
            options.trim(&mut backlog);
            lines.extend(backlog.into_iter().map(|line| (unit.as_str(), line)));
        }
        lines.sort_by_key(|(_, line)| line.time);
        for (unit, line) in lines {
            emitter.emit(options.event(unit, &line.time.to_string(), line.text));
        }
        if options.follow {
            let following = seen.into_iter().map(|(unit, since)| self.follow(unit, since, options, emitter));
            tokio::select! {
                () = cancel.cancelled() => {}
                _ = join_all(following) => {}
            }
        }
        Ok(true)
    }

    /// Returns the unit's log so far; empty if its container does not exist.
    async fn backlog(&self, unit: &str, query: &LogQuery) -> Vec<LogLine> {
        let lines = self.engine.log(&self.scope.container(unit), query);
        lines.filter_map(|line| async { line.ok() }).collect().await
    }

    async fn follow(&self, unit: &str, mut seen: Timestamp, options: &LogOptions, emitter: &Emitter) {
        loop {
            let query = LogQuery { tail: None, follow: true, since: Some(seen.as_second()) };
            let mut lines = self.engine.log(&self.scope.container(unit), &query);
            while let Some(Ok(line)) = lines.next().await {
                // `since` has whole seconds only, so the engine repeats some lines.
                if line.time > seen {
                    seen = line.time;
                    if options.wants(|| Some(line.time), &line.text) {
                        emitter.emit(options.event(unit, &line.time.to_string(), line.text));
                    }
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    pub(crate) async fn last_lines(&self, unit: &str, count: usize) -> Vec<String> {
        self.backlog(unit, &LogQuery { tail: Some(count), ..LogQuery::default() })
            .await
            .into_iter()
            .map(|line| line.text)
            .collect()
    }

    /// Saves every unit's log to the log file of the process runtime, before the containers are removed.
    pub(crate) async fn keep_logs(&self) {
        for unit in self.ours().await.unwrap_or_default().into_keys() {
            let lines = self.backlog(&unit, &LogQuery::default()).await;
            let lines: Vec<String> = lines.iter().map(|line| format!("{} {}", line.time, line.text)).collect();
            if let Err(error) = std::fs::write(self.project.state.log(&unit), lines.join("\n") + "\n") {
                tracing::warn!(%unit, %error, "cannot save its log");
            }
        }
    }
}
