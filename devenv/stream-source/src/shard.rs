//! The reading of one shard: which request comes next, and what its answer means. No request is made here.

use std::collections::VecDeque;

use crate::checkpoint::Position;
use crate::record::StreamRecord;
use crate::service::{Fault, Page};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Iterator(Position),
    Records(String),
}

#[derive(Debug)]
pub(crate) struct ShardReader {
    /// After the last handled record.
    handled: Position,
    /// Records that were read and are not handled.
    read: VecDeque<StreamRecord>,
    /// Behind the last record that was read.
    iterator: Option<String>,
    /// Whether the shard has no record behind those that were read.
    is_exhausted: bool,
}

impl ShardReader {
    pub(crate) fn at(handled: Position) -> Self {
        let iterator = match &handled {
            Position::Iterator(iterator) => Some(iterator.clone()),
            _ => None,
        };
        let is_exhausted = handled == Position::End;
        Self { handled, read: VecDeque::new(), iterator, is_exhausted }
    }

    /// The request that brings more records; `None` at the end of the shard.
    pub(crate) fn request(&self) -> Option<Request> {
        if self.is_exhausted {
            return None;
        }
        Some(match &self.iterator {
            Some(iterator) => Request::Records(iterator.clone()),
            None => Request::Iterator(self.behind_the_read()),
        })
    }

    fn behind_the_read(&self) -> Position {
        match (self.read.back(), &self.handled) {
            (Some(last), _) => Position::After(last.sequence_number.clone()),
            // That iterator was refused; nothing was handled since the mapping began.
            (None, Position::Iterator(_)) => Position::Latest,
            (None, handled) => handled.clone(),
        }
    }

    pub(crate) fn note_iterator(&mut self, iterator: String) {
        if self.read.is_empty() && matches!(self.handled, Position::Latest | Position::Iterator(_)) {
            self.handled = Position::Iterator(iterator.clone());
        }
        self.iterator = Some(iterator);
    }

    pub(crate) fn note_page(&mut self, page: Page) {
        self.read.extend(page.records);
        if self.read.is_empty()
            && let (Position::Iterator(kept), Some(next)) = (&mut self.handled, &page.next)
        {
            // A younger iterator of the same place.
            kept.clone_from(next);
        }
        self.is_exhausted = page.next.is_none();
        self.iterator = page.next;
        self.end_if_done();
    }

    /// Returns whether the next request may succeed at once: it is another one.
    pub(crate) fn note_fault(&mut self, fault: &Fault) -> bool {
        match fault {
            Fault::Expired => {
                self.iterator = None;
                true
            }
            Fault::Trimmed => {
                self.iterator = None;
                if self.read.is_empty() {
                    self.handled = Position::Horizon;
                }
                self.read.is_empty()
            }
            // The list of shards shows whether this one is gone, or the table is made anew.
            Fault::Gone | Fault::Passing(_) => false,
        }
    }

    /// The shard is no longer there: it disappears a day after its last record.
    pub(crate) fn close(&mut self) {
        self.is_exhausted = true;
        self.end_if_done();
    }

    pub(crate) fn read(&self) -> &VecDeque<StreamRecord> {
        &self.read
    }

    /// The first `count` records that were read are handled.
    pub(crate) fn advance(&mut self, count: usize) {
        if let Some(last) = self.read.drain(..count.min(self.read.len())).next_back() {
            self.handled = Position::After(last.sequence_number);
        }
        self.end_if_done();
    }

    fn end_if_done(&mut self) {
        if self.is_exhausted && self.read.is_empty() {
            self.handled = Position::End;
        }
    }

    /// Where another reader goes on.
    pub(crate) fn position(&self) -> &Position {
        &self.handled
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(number: u64) -> StreamRecord {
        StreamRecord::of(json!({ "dynamodb": { "SequenceNumber": number.to_string() } })).expect("a record")
    }

    fn page(numbers: &[u64], next: Option<&str>) -> Page {
        Page { records: numbers.iter().copied().map(record).collect(), next: next.map(str::to_owned) }
    }

    fn after(number: u64) -> Position {
        Position::After(number.to_string())
    }

    #[test]
    fn a_shard_is_read_from_its_position_to_its_end() {
        let mut shard = ShardReader::at(Position::Horizon);
        assert_eq!(shard.request(), Some(Request::Iterator(Position::Horizon)));
        shard.note_iterator("a".to_owned());
        assert_eq!(shard.request(), Some(Request::Records("a".to_owned())));
        shard.note_page(page(&[1, 2], Some("b")));
        assert_eq!(shard.position(), &Position::Horizon, "nothing is handled");
        shard.advance(1);
        assert_eq!(shard.position(), &after(1));
        assert_eq!(shard.request(), Some(Request::Records("b".to_owned())));
        shard.note_page(page(&[3], None));
        assert_eq!(shard.request(), None);
        assert_eq!(shard.position(), &after(1));
        shard.advance(2);
        assert_eq!(shard.position(), &Position::End);
        assert_eq!(ShardReader::at(Position::End).request(), None);
    }

    #[test]
    fn an_expired_iterator_is_asked_for_again_behind_what_was_read() {
        let mut shard = ShardReader::at(after(4));
        shard.note_iterator("a".to_owned());
        shard.note_page(page(&[5, 6], Some("b")));
        assert!(shard.note_fault(&Fault::Expired));
        assert_eq!(shard.request(), Some(Request::Iterator(after(6))));
        shard.advance(2);
        assert_eq!(shard.request(), Some(Request::Iterator(after(6))));
    }

    #[test]
    fn trimmed_records_are_left_out() {
        let mut shard = ShardReader::at(after(4));
        assert!(shard.note_fault(&Fault::Trimmed));
        assert_eq!(shard.request(), Some(Request::Iterator(Position::Horizon)));
    }

    #[test]
    fn the_latest_position_stays_at_its_place() {
        let mut shard = ShardReader::at(Position::Latest);
        shard.note_iterator("a".to_owned());
        assert_eq!(shard.position(), &Position::Iterator("a".to_owned()));
        shard.note_page(page(&[], Some("b")));
        let kept = shard.position().clone();
        assert_eq!(kept, Position::Iterator("b".to_owned()));
        assert_eq!(ShardReader::at(kept).request(), Some(Request::Records("b".to_owned())));
        shard.note_page(page(&[7], Some("c")));
        assert_eq!(shard.position(), &Position::Iterator("b".to_owned()), "7 is not handled");
        shard.advance(1);
        assert_eq!(shard.position(), &after(7));
    }

    #[test]
    fn a_shard_that_is_gone_ends_after_what_was_read() {
        let mut shard = ShardReader::at(Position::Horizon);
        shard.note_iterator("a".to_owned());
        shard.note_page(page(&[1], Some("b")));
        assert!(!shard.note_fault(&Fault::Gone));
        assert!(shard.request().is_some());
        shard.close();
        assert_eq!((shard.request(), shard.position()), (None, &Position::Horizon));
        shard.advance(1);
        assert_eq!(shard.position(), &Position::End);
    }
}
