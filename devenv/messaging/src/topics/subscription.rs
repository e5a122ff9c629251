use devenv_filters::{FilterPolicy, Scope};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value};

use super::errors::not_found;
use super::identity;
use super::request::text;
use super::topic::{Topic, json, object};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const COLUMNS: &str = "id, arn, topic, protocol, endpoint, attributes, token";

#[derive(Debug, Clone)]
pub(super) struct Subscription {
    /// Zero until it is saved.
    pub(super) id: i64,
    pub(super) arn: String,
    /// The topic's name.
    pub(super) topic: String,
    /// `sqs` or `http`.
    pub(super) protocol: String,
    pub(super) endpoint: String,
    /// Those that were set.
    pub(super) attributes: Map<String, Value>,
    /// Confirms it; none afterwards.
    pub(super) token: Option<String>,
}

impl Subscription {
    pub(super) fn of(transaction: &Transaction<'_>, arn: &str) -> Result<Self, ApiError> {
        identity::check_subscription_arn(arn)?;
        Self::find(transaction, "arn = ?1", [arn])?.ok_or_else(|| not_found("Subscription"))
    }

    pub(super) fn find<P: rusqlite::Params>(
        transaction: &Transaction<'_>,
        condition: &str,
        parameters: P,
    ) -> Result<Option<Self>, ApiError> {
        let query = format!("SELECT {COLUMNS} FROM subscriptions WHERE {condition}");
        let mut statement = transaction.connection.prepare_cached(&query)?;
        Ok(statement.query_row(parameters, Self::read).optional()?)
    }

    /// The subscriptions after an id, oldest first; of one topic if one is named.
    pub(super) fn page(
        transaction: &Transaction<'_>,
        topic: Option<&str>,
        after: i64,
        count: usize,
    ) -> Result<Vec<Self>, ApiError> {
        let query =
            format!("SELECT {COLUMNS} FROM subscriptions WHERE id > ?1 AND (?2 IS NULL OR topic = ?2) ORDER BY id");
        let mut statement = transaction.connection.prepare_cached(&query)?;
        let found = statement.query_map(params![after, topic], Self::read)?;
        Ok(found.take(count).collect::<Result<_, _>>()?)
    }

    /// Those that get a topic's messages.
    pub(super) fn confirmed(transaction: &Transaction<'_>, topic: &Topic) -> Result<Vec<Self>, ApiError> {
        let query = format!("SELECT {COLUMNS} FROM subscriptions WHERE topic = ?1 AND token IS NULL ORDER BY id");
        let mut statement = transaction.connection.prepare_cached(&query)?;
        let found = statement.query_map([&topic.name], Self::read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            arn: row.get(1)?,
            topic: row.get(2)?,
            protocol: row.get(3)?,
            endpoint: row.get(4)?,
            attributes: object(row, 5)?,
            token: row.get(6)?,
        })
    }

    /// Writes a new subscription or the changes of an old one.
    pub(super) fn save(&self, transaction: &Transaction<'_>) -> Result<(), ApiError> {
        let insert = "INSERT INTO subscriptions (arn, topic, protocol, endpoint, attributes, token) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (arn) DO UPDATE SET attributes = ?5, token = ?6";
        let attributes = json(&self.attributes);
        let values = params![self.arn, self.topic, self.protocol, self.endpoint, attributes, self.token];
        transaction.connection.prepare_cached(insert)?.execute(values)?;
        Ok(())
    }

    pub(super) fn is_raw(&self) -> bool {
        self.attribute("RawMessageDelivery") == Some("true")
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        text(&self.attributes, name)
    }

    pub(super) fn scope(&self) -> Scope {
        self.attribute("FilterPolicyScope").and_then(Scope::named).unwrap_or_default()
    }

    /// The filter policy, which was checked when it was set.
    pub(super) fn filter(&self) -> Result<Option<FilterPolicy>, ApiError> {
        let policy = self.attribute("FilterPolicy").map(|text| FilterPolicy::parse(text, self.scope()));
        policy.transpose().map_err(|error| ApiError::internal(format!("the filter policy of {}: {error}", self.arn)))
    }
}
