use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value};

use super::errors::not_found;
use super::identity;
use super::request::text;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

pub(super) struct Topic {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) is_fifo: bool,
    /// Those that were set.
    pub(super) attributes: Map<String, Value>,
    pub(super) tags: Map<String, Value>,
    /// How many of its subscriptions were removed.
    pub(super) removed: i64,
    pub(super) sequence: i64,
}

impl Topic {
    /// Finds the topic that a parameter's ARN names.
    pub(super) fn of(transaction: &Transaction<'_>, arn: &str, parameter: &str) -> Result<Self, ApiError> {
        let name = identity::topic_name(arn, parameter)?;
        Self::named(transaction, name)?.ok_or_else(|| not_found("Topic"))
    }

    pub(super) fn named(transaction: &Transaction<'_>, name: &str) -> Result<Option<Self>, ApiError> {
        let query = "SELECT name, arn, is_fifo, attributes, tags, removed, sequence FROM topics WHERE name = ?1";
        let mut statement = transaction.connection.prepare_cached(query)?;
        Ok(statement.query_row([name], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            arn: row.get(1)?,
            is_fifo: row.get(2)?,
            attributes: object(row, 3)?,
            tags: object(row, 4)?,
            removed: row.get(5)?,
            sequence: row.get(6)?,
        })
    }

    /// Writes a new topic or the changes of an old one.
    pub(super) fn save(&self, transaction: &Transaction<'_>) -> Result<(), ApiError> {
        let insert = "INSERT INTO topics (name, arn, is_fifo, attributes, tags, removed, sequence) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE SET \
                      attributes = ?4, tags = ?5, removed = ?6, sequence = ?7";
        let (attributes, tags) = (json(&self.attributes), json(&self.tags));
        transaction.connection.prepare_cached(insert)?.execute(params![
            self.name,
            self.arn,
            self.is_fifo,
            attributes,
            tags,
            self.removed,
            self.sequence
        ])?;
        Ok(())
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        text(&self.attributes, name)
    }

    pub(super) fn is_content_based(&self) -> bool {
        self.attribute("ContentBasedDeduplication") == Some("true")
    }
}

/// A column with a JSON object.
pub(super) fn object(row: &Row<'_>, column: usize) -> rusqlite::Result<Map<String, Value>> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

pub(super) fn json(object: &Map<String, Value>) -> String {
    serde_json::to_string(object).expect("a map of texts is JSON")
}
