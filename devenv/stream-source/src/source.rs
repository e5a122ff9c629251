use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};

use crate::checkpoint::{Checkpoint, FORMAT, Position};
use crate::delivery::{Delivery, Settled, Verdict};
use crate::record::StreamRecord;
use crate::service::{Fault, Shard, StreamService};
use crate::settings::{Start, StreamSettings};
use crate::shard::{Request, ShardReader};

/// The limit of `GetRecords`.
const MOST_RECORDS: usize = 1_000;
/// The time between two looks into a shard without new records. AWS looks four times a second too.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// The time between two looks for new shards, and for a stream that replaced this one.
const BETWEEN_LISTS: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Bytes of a batch's records: an event has 6 MiB, with its envelope.
const BATCH_BYTES: usize = 6 * 1024 * 1024 - 4096;

/// The records of a function's next event, all of one shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub stream: String,
    pub shard: String,
    pub records: Vec<StreamRecord>,
}

/// What happened to records without an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The stream lost records before they were read.
    Trimmed { shard: String },
    /// Records exceeded the mapping's age.
    TooOld { shard: String, records: usize },
    /// The table has another stream now, which is read from its beginning.
    OtherStream { stream: String },
}

/// Gives one batch after the other. A shard's next batch comes once its last one is settled.
#[derive(Debug)]
pub struct StreamSource {
    service: Arc<dyn StreamService>,
    table: String,
    settings: StreamSettings,
    stream: String,
    lanes: Vec<Lane>,
    /// The lane that is asked first, so that each has its turn.
    turn: usize,
    next_list: Instant,
    /// Whether the stream was gone at the last look: the table may be made anew, with another stream that an old iterator reads too.
    is_lost: bool,
    pause: Duration,
    notices: Vec<Notice>,
}

/// A shard and its state.
#[derive(Debug)]
struct Lane {
    shard: Shard,
    reader: ShardReader,
    delivery: Delivery,
    next_look: Instant,
    /// The time of the next batch, after one that failed.
    next_batch: Instant,
    /// The time at which the oldest record that is not handled was read.
    waiting_since: Option<Instant>,
}

impl StreamSource {
    /// Opens the stream of a table at `kept`, a checkpoint as JSON, or where a new mapping begins.
    pub async fn open(
        service: Arc<dyn StreamService>,
        table: &str,
        settings: StreamSettings,
        kept: Option<&str>,
    ) -> Result<Self, Fault> {
        let stream = service.stream(table).await?.ok_or(Fault::Gone)?;
        let kept = kept.and_then(|text| Checkpoint::read(text, &stream));
        let start = match (&kept, settings.start) {
            (None, Start::Latest) => Position::Latest,
            // A shard that the checkpoint does not have is younger.
            _ => Position::Horizon,
        };
        let mut source = Self {
            service,
            table: table.to_owned(),
            settings,
            stream,
            lanes: Vec::new(),
            turn: 0,
            next_list: Instant::now(),
            is_lost: false,
            pause: FIRST_PAUSE,
            notices: Vec::new(),
        };
        let shards = source.service.shards(&source.stream).await?;
        source.add(shards, &start, &kept.map(|kept| kept.shards).unwrap_or_default());
        source.next_list = Instant::now() + BETWEEN_LISTS;
        if start == Position::Latest {
            source.fix_positions().await?;
        }
        Ok(source)
    }

    fn add(&mut self, shards: Vec<Shard>, start: &Position, kept: &BTreeMap<String, Position>) {
        let now = Instant::now();
        for shard in shards {
            if self.lanes.iter().any(|lane| lane.shard.id == shard.id) {
                continue;
            }
            let position = kept.get(&shard.id).unwrap_or(start).clone();
            self.lanes.push(Lane {
                reader: ShardReader::at(position),
                delivery: Delivery::new(self.settings.clone()),
                next_look: now,
                next_batch: now,
                waiting_since: None,
                shard,
            });
        }
    }

    /// "After the newest record" is another place with each write, so it is fixed before the first look.
    async fn fix_positions(&mut self) -> Result<(), Fault> {
        for lane in &mut self.lanes {
            if let Some(Request::Iterator(position)) = lane.reader.request() {
                lane.reader.note_iterator(self.service.iterator(&self.stream, &lane.shard.id, &position).await?);
            }
        }
        Ok(())
    }

    /// Waits for the next batch. After an error, the next call waits first. A call that is given up loses nothing.
    pub async fn next_batch(&mut self) -> Result<Batch, Fault> {
        loop {
            self.list_again().await?;
            let ready = self.ready();
            for index in &ready {
                self.give_up_old(*index);
                if let Some(batch) = self.due(*index) {
                    self.turn = index + 1;
                    return Ok(batch);
                }
            }
            let now = Instant::now();
            match ready.iter().find(|index| self.wants_more(**index) && self.lanes[**index].next_look <= now) {
                Some(index) => self.look(*index).await?,
                None => sleep_until(self.next_event(&ready)).await,
            }
        }
    }

    /// The lanes whose parents have ended, beginning with the one whose turn it is.
    fn ready(&self) -> Vec<usize> {
        let has_ended = |id: &String| {
            let parent = self.lanes.iter().find(|lane| lane.shard.id == *id);
            parent.is_none_or(|lane| *lane.reader.position() == Position::End)
        };
        let count = self.lanes.len();
        let turns = (0..count).map(|offset| (self.turn + offset) % count);
        turns.filter(|index| self.lanes[*index].shard.parent.as_ref().is_none_or(has_ended)).collect()
    }

    fn give_up_old(&mut self, index: usize) {
        let lane = &mut self.lanes[index];
        let records = lane.delivery.too_old(lane.reader.read(), SystemTime::now());
        if records > 0 {
            lane.reader.advance(records);
            self.notices.push(Notice::TooOld { shard: lane.shard.id.clone(), records });
        }
    }

    /// The lane's batch, if it is full or has waited long enough.
    fn due(&self, index: usize) -> Option<Batch> {
        let lane = &self.lanes[index];
        let read = lane.reader.read();
        let now = Instant::now();
        let has_waited = lane.waiting_since.is_some_and(|since| now >= since + self.settings.window);
        let is_due = read.len() >= lane.delivery.size() || has_waited || lane.reader.request().is_none();
        if read.is_empty() || !is_due || now < lane.next_batch {
            return None;
        }
        let mut bytes = 0;
        let fits = |record: &&StreamRecord| {
            let is_first = bytes == 0;
            bytes += record.size + 200; // what the function's form adds
            is_first || bytes <= BATCH_BYTES
        };
        let records = read.iter().take(lane.delivery.size()).take_while(fits).cloned().collect();
        Some(Batch { stream: self.stream.clone(), shard: lane.shard.id.clone(), records })
    }

    fn wants_more(&self, index: usize) -> bool {
        let reader = &self.lanes[index].reader;
        reader.read().len() < self.settings.batch_size && reader.request().is_some()
    }

    /// The time until which no lane has anything to do.
    fn next_event(&self, ready: &[usize]) -> Instant {
        let of_lane = |index: &usize| {
            let lane = &self.lanes[*index];
            let look = self.wants_more(*index).then_some(lane.next_look);
            let window = lane.waiting_since.map(|since| (since + self.settings.window).max(lane.next_batch));
            look.into_iter().chain(window)
        };
        ready.iter().flat_map(of_lane).chain([self.next_list]).min().unwrap_or(self.next_list)
    }

    async fn look(&mut self, index: usize) -> Result<(), Fault> {
        let lane = &mut self.lanes[index];
        let mut was_read = false;
        let outcome = match lane.reader.request() {
            None => return Ok(()),
            Some(Request::Iterator(position)) => {
                let asked = self.service.iterator(&self.stream, &lane.shard.id, &position).await;
                asked.map(|iterator| lane.reader.note_iterator(iterator))
            }
            Some(Request::Records(iterator)) => {
                let room = self.settings.batch_size.saturating_sub(lane.reader.read().len());
                let asked = self.service.records(&iterator, room.clamp(1, MOST_RECORDS)).await;
                asked.map(|page| {
                    let now = Instant::now();
                    was_read = true;
                    lane.next_look = if page.records.is_empty() { now + BETWEEN_LOOKS } else { now };
                    lane.reader.note_page(page);
                    if !lane.reader.read().is_empty() {
                        lane.waiting_since.get_or_insert(now);
                    }
                })
            }
        };
        if *lane.reader.position() == Position::End {
            // Its children may be new.
            self.next_list = Instant::now();
        }
        let Err(fault) = outcome else {
            // An iterator alone is no progress: the next answer may be that it has expired.
            if was_read {
                self.pause = FIRST_PAUSE;
            }
            return Ok(());
        };
        let is_other = lane.reader.note_fault(&fault);
        if fault == Fault::Trimmed {
            self.notices.push(Notice::Trimmed { shard: lane.shard.id.clone() });
        }
        let pause = self.pause;
        lane.next_look = Instant::now() + if is_other && pause == FIRST_PAUSE { Duration::ZERO } else { pause };
        match fault {
            Fault::Expired | Fault::Trimmed => {
                self.pause = (pause * 2).min(LONGEST_PAUSE);
                Ok(())
            }
            Fault::Gone => {
                self.is_lost = true;
                self.next_list = Instant::now() + self.pause;
                Ok(())
            }
            Fault::Passing(_) => {
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Err(fault)
            }
        }
    }

    /// Finds new shards, and a new stream of the table.
    async fn list_again(&mut self) -> Result<(), Fault> {
        if self.is_lost {
            sleep_until(self.next_list).await;
        } else if Instant::now() < self.next_list {
            return Ok(());
        }
        // Before the requests: one that fails is not repeated at once.
        self.next_list = Instant::now() + self.pause;
        let pause = (self.pause * 2).min(LONGEST_PAUSE);
        let pause = std::mem::replace(&mut self.pause, pause);
        let stream = self.service.stream(&self.table).await?.ok_or(Fault::Gone)?;
        let shards = self.service.shards(&stream).await?;
        (self.pause, self.is_lost) = (pause, false);
        if stream != self.stream {
            self.stream.clone_from(&stream);
            self.lanes.clear();
            self.notices.push(Notice::OtherStream { stream });
        }
        let is_listed = |lane: &Lane| shards.iter().any(|shard| shard.id == lane.shard.id);
        self.lanes.iter_mut().filter(|lane| !is_listed(lane)).for_each(|lane| lane.reader.close());
        self.lanes.retain(|lane| is_listed(lane) || *lane.reader.position() != Position::End);
        self.add(shards, &Position::Horizon, &BTreeMap::new());
        self.next_list = Instant::now() + BETWEEN_LISTS;
        Ok(())
    }

    /// Settles the last batch of its shard.
    pub fn settle(&mut self, batch: &Batch, verdict: Verdict) -> Settled {
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.shard.id == batch.shard) else {
            return Settled::default();
        };
        // A stream that replaced this one may have shards of the same names.
        if batch.stream != self.stream {
            return Settled::default();
        }
        let settled = lane.delivery.settle(batch.records.len(), verdict);
        lane.reader.advance(settled.advance);
        let now = Instant::now();
        lane.next_batch = now + settled.pause;
        let is_empty = lane.reader.read().is_empty();
        lane.waiting_since = match lane.waiting_since {
            _ if is_empty => None,
            since if settled.advance == 0 => since,
            _ => Some(now),
        };
        if *lane.reader.position() == Position::End {
            self.next_list = now;
        }
        settled
    }

    pub fn checkpoint(&self) -> Checkpoint {
        let shards = self.lanes.iter().map(|lane| (lane.shard.id.clone(), lane.reader.position().clone())).collect();
        Checkpoint { format: FORMAT, stream: self.stream.clone(), shards }
    }

    /// What happened since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
