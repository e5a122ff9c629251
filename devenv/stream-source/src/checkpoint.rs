use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The format of a [`Checkpoint`].
pub const FORMAT: u32 = 1;

/// How far a mapping has come in a stream. Whoever keeps it writes it once the source is open, and after each settled batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub format: u32,
    /// A table that is made anew has another stream, for which this says nothing.
    pub stream: String,
    pub shards: BTreeMap<String, Position>,
}

/// A place in a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The oldest record.
    Horizon,
    /// After the newest record.
    Latest,
    /// An iterator that AWS gave, before any record was handled: "after the newest record" says another place later.
    Iterator(String),
    /// After the record with this sequence number.
    After(String),
    /// The shard is closed, and its last record is handled.
    End,
}

impl Checkpoint {
    /// Reads a kept checkpoint; `None` if it is of another format or another stream.
    pub fn read(text: &str, stream: &str) -> Option<Self> {
        let checkpoint: Self = serde_json::from_str(text).ok()?;
        (checkpoint.format == FORMAT && checkpoint.stream == stream).then_some(checkpoint)
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_of_one_stream_and_one_format() {
        let shards = BTreeMap::from([("s".to_owned(), Position::After("7".to_owned()))]);
        let checkpoint = Checkpoint { format: FORMAT, stream: "arn".to_owned(), shards };
        let text = checkpoint.to_json();
        assert_eq!(Checkpoint::read(&text, "arn"), Some(checkpoint));
        assert_eq!(Checkpoint::read(&text, "arn of the table made anew"), None);
        assert_eq!(Checkpoint::read(&text.replace("\"format\":1", "\"format\":2"), "arn"), None);
        assert_eq!(Checkpoint::read("{", "arn"), None);
    }
}
