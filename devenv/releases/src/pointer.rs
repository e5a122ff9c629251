use serde::{Deserialize, Serialize};

use crate::format::{self, FormatError};
use crate::record::Record;

/// The object that holds the live release, which saves a search through many records. The end of a record is written before it:
/// a record that ended later than this one is the newer truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointer {
    pub version: u32,
    /// The last record that ended live, or that left the services at zero tasks.
    pub record: Record,
}

impl Pointer {
    pub const VERSION: u32 = 1;

    pub fn new(record: Record) -> Self {
        Self { version: Self::VERSION, record }
    }

    pub fn read(json: &[u8]) -> Result<Self, FormatError> {
        let pointer: Self = format::read("live pointer", &(Self::VERSION..=Self::VERSION), json)?;
        match pointer.record.version {
            version if Record::VERSIONS.contains(&version) => Ok(pointer),
            found => Err(FormatError::Version { what: "live pointer", found, known: Record::VERSION }),
        }
    }

    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a pointer is plain data");
        json.push(b'\n');
        json
    }
}
