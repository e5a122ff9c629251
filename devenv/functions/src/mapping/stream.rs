//! The work of a mapping of a table's stream: one batch after the other, in order, each until it is handled or given up.

use std::sync::Arc;
use std::time::Duration;

use devenv_stream_source::delivery::Verdict as StreamVerdict;
use devenv_stream_source::service::{Fault, StreamService};
use devenv_stream_source::settings::StreamSettings;
use devenv_stream_source::source::{Batch, Notice, StreamSource};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::checkpoint::CheckpointFile;
use super::filter::Filters;
use super::state::MappingState;
use super::verdict::{Verdict, verdict};
use crate::function::Function;
use crate::invocation::Invocation;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Less than the life of an iterator.
const KEEP_EVERY: Duration = Duration::from_mins(5);

#[derive(Debug)]
pub(crate) struct StreamPoller {
    pub(crate) settings: StreamSettings,
    pub(crate) reports_failures: bool,
    pub(crate) filters: Filters,
    pub(crate) table: String,
    pub(crate) region: String,
    pub(crate) function: Arc<Function>,
    pub(crate) service: Arc<dyn StreamService>,
    pub(crate) checkpoint: CheckpointFile,
    pub(crate) state: Arc<MappingState>,
}

impl StreamPoller {
    /// Handles one batch after the other until `stop` turns true.
    pub(crate) async fn work(&self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        let mut source = loop {
            let kept = self.checkpoint.read();
            match StreamSource::open(Arc::clone(&self.service), &self.table, self.settings.clone(), kept.as_deref())
                .await
            {
                Ok(source) => break source,
                Err(fault) => self.problem(&format!("cannot open the stream of {}: {fault}", self.table)),
            }
            if Self::waits(&mut stop, pause).await {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        self.keep(&source);
        loop {
            let next = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                next = async { self.function.available().await; source.next_batch().await } => next,
                // An iterator ends after 15 minutes, so that a stream without records needs a younger one. A call that is given up loses
                // nothing.
                () = tokio::time::sleep(KEEP_EVERY) => {
                    self.keep(&source);
                    continue;
                }
            };
            self.tell(source.take_notices());
            match next {
                Ok(batch) => self.handle(&mut source, &batch).await,
                Err(fault @ Fault::Gone) => {
                    self.problem(&format!("cannot read the stream of {}: {fault}", self.table));
                    if Self::waits(&mut stop, pause).await {
                        return;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                // The source waits before its next request.
                Err(fault) => self.problem(&format!("cannot read the stream of {}: {fault}", self.table)),
            }
            pause = FIRST_PAUSE;
        }
    }

    /// Waits. Returns whether the work must end.
    async fn waits(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(pause) => false,
        }
    }

    async fn handle(&self, source: &mut StreamSource, batch: &Batch) {
        let judged = self.invoke(batch).await;
        let settled = source.settle(batch, judged);
        self.tell(source.take_notices());
        if settled.given_up > 0 {
            self.problem(&format!("gave up {} records after their retries", settled.given_up));
        }
        if settled.advance > 0 {
            self.keep(source);
        }
    }

    async fn invoke(&self, batch: &Batch) -> StreamVerdict {
        let all = batch.records.iter().map(|record| record.for_function(&batch.stream, &self.region));
        let accepted: Vec<(usize, Value)> = all
            .enumerate()
            .filter(|(_, record)| self.filters.accept(record.as_object().expect("a record is a mapping")))
            .collect();
        if accepted.is_empty() {
            return StreamVerdict::Handled;
        }
        let ids: Vec<&str> = accepted.iter().map(|(index, _)| batch.records[*index].sequence_number.as_str()).collect();
        let records: Vec<&Value> = accepted.iter().map(|(_, record)| record).collect();
        let event = json!({ "Records": records }).to_string();
        let outcome = self.function.invoke(Invocation::new(event.into())).await.outcome;
        match verdict(&outcome, self.reports_failures, &ids) {
            Verdict::AllBut(failed) if failed.is_empty() => {
                self.state.note("OK");
                StreamVerdict::Handled
            }
            // The first failure counts: what comes after it comes again, so that the order is kept.
            Verdict::AllBut(failed) => {
                self.problem("the function could not handle a record");
                let first = batch.records.iter().position(|record| failed.contains(&record.sequence_number));
                first.map_or(StreamVerdict::Failed, StreamVerdict::FailedAt)
            }
            Verdict::None => {
                self.problem("the function failed");
                StreamVerdict::Failed
            }
            Verdict::Unseen => {
                self.problem("no unit took the batch");
                StreamVerdict::Unseen
            }
        }
    }

    fn keep(&self, source: &StreamSource) {
        if let Err(error) = self.checkpoint.keep(&source.checkpoint().to_json()) {
            // Without a checkpoint, records come again after a restart.
            self.problem(&format!("cannot keep the checkpoint: {error}"));
        }
    }

    fn tell(&self, notices: Vec<Notice>) {
        for notice in notices {
            self.problem(&match notice {
                Notice::Trimmed { shard } => format!("the stream lost records of {shard} before they were read"),
                Notice::TooOld { records, .. } => format!("gave up {records} records, older than the mapping allows"),
                Notice::OtherStream { .. } => {
                    format!("{} has another stream, which is read from its beginning", self.table)
                }
            });
        }
    }

    fn problem(&self, text: &str) {
        self.state.problem(text);
    }
}
