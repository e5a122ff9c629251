use std::fmt;

use futures_util::future::BoxFuture;

use crate::checkpoint::Position;
use crate::record::StreamRecord;

pub type Answer<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// The requests of a source to DynamoDB Streams.
pub trait StreamService: fmt::Debug + Send + Sync {
    /// The ARN of the table's stream; `None` if it has none now.
    fn stream<'a>(&'a self, table: &'a str) -> Answer<'a, Option<String>>;
    /// Every shard, closed ones too.
    fn shards<'a>(&'a self, stream: &'a str) -> Answer<'a, Vec<Shard>>;
    /// An iterator at a position that is neither an iterator nor the end.
    fn iterator<'a>(&'a self, stream: &'a str, shard: &'a str, position: &'a Position) -> Answer<'a, String>;
    fn records<'a>(&'a self, iterator: &'a str, limit: usize) -> Answer<'a, Page>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub id: String,
    /// Its records come before those of this shard.
    pub parent: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub records: Vec<StreamRecord>,
    /// `None` if the shard is closed and these were its last records.
    pub next: Option<String>,
}

/// The reason a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The stream has lost the record at this position.
    Trimmed,
    /// The iterator is too old.
    Expired,
    /// There is no such stream or shard (any more).
    Gone,
    /// The service does not answer, or refuses for now.
    Passing(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trimmed => formatter.write_str("the stream no longer has these records"),
            Self::Expired => formatter.write_str("the iterator is too old"),
            Self::Gone => formatter.write_str("there is no such stream"),
            Self::Passing(cause) => formatter.write_str(cause),
        }
    }
}
