//! A stream's record, as far as this function reads it.

use std::collections::HashMap;

use order_domain::Moment;
use serde::Deserialize;

/// A write to the table.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Record {
    pub(crate) dynamodb: Change,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Change {
    pub(crate) sequence_number: String,
    /// Seconds since the Unix epoch, with decimals.
    approximate_creation_date_time: Option<f64>,
    #[serde(default)]
    pub(crate) keys: Image,
    /// The item before the write. A new item has none.
    pub(crate) old_image: Option<Image>,
    /// The item after the write. A deleted item has none.
    pub(crate) new_image: Option<Image>,
}

pub(crate) type Image = HashMap<String, Attribute>;

/// An attribute, if it is a text or a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Attribute {
    #[serde(rename = "S")]
    pub(crate) text: Option<String>,
    #[serde(rename = "N")]
    number: Option<String>,
}

impl Attribute {
    /// The number, if it is whole and not negative.
    pub(crate) fn count(&self) -> Option<u64> {
        self.number.as_deref()?.parse().ok()
    }
}

impl Change {
    /// The time of the write.
    pub(crate) fn created_at(&self) -> Option<Moment> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a conversion out of range gives a moment out of range, which is none"
        )]
        let microseconds = (self.approximate_creation_date_time? * 1_000_000.0).round() as i64;
        Moment::from_microseconds(microseconds)
    }
}
