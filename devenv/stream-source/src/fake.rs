//! DynamoDB Streams in memory, with faults.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use futures_util::future::ready;
use serde_json::json;

use crate::checkpoint::Position;
use crate::record::StreamRecord;
use crate::service::{Answer, Fault, Page, Shard, StreamService};

/// Sequence numbers are those of the writes, over all shards.
#[derive(Debug, Default)]
pub(crate) struct FakeStreams(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    stream: Option<String>,
    shards: Vec<FakeShard>,
    writes: u64,
    /// For the next requests, one each.
    faults: VecDeque<Fault>,
    requests: usize,
}

#[derive(Debug)]
struct FakeShard {
    shard: Shard,
    records: Vec<u64>,
    is_closed: bool,
    /// Records up to this one are lost.
    trimmed: u64,
}

impl FakeStreams {
    /// With one empty shard.
    pub(crate) fn new(stream: &str) -> Self {
        let fake = Self::default();
        fake.replace(stream);
        fake
    }

    /// A new stream takes the place of this one.
    pub(crate) fn replace(&self, stream: &str) {
        let mut state = self.state();
        state.stream = Some(stream.to_owned());
        state.shards = vec![FakeShard::new("s0", None)];
    }

    pub(crate) fn write(&self, count: u64) {
        let mut state = self.state();
        for _ in 0..count {
            state.writes += 1;
            let number = state.writes;
            state.shards.last_mut().expect("a shard").records.push(number);
        }
    }

    /// Closes the last shard; its child takes the writes.
    pub(crate) fn split(&self) {
        let mut state = self.state();
        let count = state.shards.len();
        let parent = state.shards.last_mut().expect("a shard");
        parent.is_closed = true;
        let parent = parent.shard.id.clone();
        state.shards.push(FakeShard::new(&format!("s{count}"), Some(parent)));
    }

    /// Loses every record so far.
    pub(crate) fn trim(&self) {
        let mut state = self.state();
        let last = state.writes;
        state.shards.iter_mut().for_each(|shard| shard.trimmed = last);
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    pub(crate) fn requests(&self) -> usize {
        self.state().requests
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while held")
    }

    fn answer<T: Send + 'static>(&self, answer: impl FnOnce(&State) -> Result<T, Fault>) -> Answer<'static, T> {
        let mut state = self.state();
        state.requests += 1;
        let answer = match state.faults.pop_front() {
            Some(fault) => Err(fault),
            None => answer(&state),
        };
        Box::pin(ready(answer))
    }
}

impl FakeShard {
    fn new(id: &str, parent: Option<String>) -> Self {
        Self { shard: Shard { id: id.to_owned(), parent }, records: Vec::new(), is_closed: false, trimmed: 0 }
    }
}

impl StreamService for FakeStreams {
    fn stream<'a>(&'a self, _table: &'a str) -> Answer<'a, Option<String>> {
        self.answer(|state| Ok(state.stream.clone()))
    }

    fn shards<'a>(&'a self, _stream: &'a str) -> Answer<'a, Vec<Shard>> {
        self.answer(|state| Ok(state.shards.iter().map(|shard| shard.shard.clone()).collect()))
    }

    /// `STREAM SHARD NUMBER`, of the last record before the next one.
    fn iterator<'a>(&'a self, stream: &'a str, shard: &'a str, position: &'a Position) -> Answer<'a, String> {
        self.answer(|state| {
            let found = state.shards.iter().find(|found| found.shard.id == shard).ok_or(Fault::Gone)?;
            let after = match position {
                Position::Horizon => found.trimmed,
                Position::After(number) => number.parse().expect("a number of this fake"),
                _ => found.records.last().copied().unwrap_or(state.writes),
            };
            if after < found.trimmed { Err(Fault::Trimmed) } else { Ok(format!("{stream} {shard} {after}")) }
        })
    }

    fn records<'a>(&'a self, iterator: &'a str, limit: usize) -> Answer<'a, Page> {
        self.answer(|state| {
            let parts: Vec<&str> = iterator.split(' ').collect();
            let [stream, shard, after] = parts[..] else { panic!("not an iterator of this fake: {iterator}") };
            let after: u64 = after.parse().expect("a number");
            let found = state.shards.iter().find(|found| found.shard.id == shard).ok_or(Fault::Gone)?;
            if state.stream.as_deref() != Some(stream) {
                return Err(Fault::Gone);
            }
            if after < found.trimmed && found.records.iter().any(|number| *number > after) {
                return Err(Fault::Trimmed);
            }
            let numbers: Vec<u64> =
                found.records.iter().copied().filter(|number| *number > after).take(limit).collect();
            let last = numbers.last().copied().unwrap_or(after);
            let is_over = found.is_closed && found.records.last().is_none_or(|newest| *newest <= last);
            let record =
                |number: u64| StreamRecord::of(json!({ "dynamodb": { "SequenceNumber": number.to_string() } }));
            let records = numbers.into_iter().filter_map(record).collect();
            Ok(Page { records, next: (!is_over).then(|| format!("{stream} {shard} {last}")) })
        })
    }
}
