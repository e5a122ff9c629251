use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::attributes::{Attributes, Settings};
use super::{errors, name};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// A queue as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) id: i64,
    pub(crate) name: Arc<str>,
    /// The region of the request that created it.
    pub(crate) region: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) modified: i64,
    /// The attributes that were set.
    pub(crate) attributes: Attributes,
    pub(crate) settings: Settings,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Queue {
    pub(crate) fn arn(&self) -> String {
        name::arn(&self.region, &self.name)
    }
}

impl Transaction<'_> {
    /// The queue of that name, if there is one.
    pub(crate) fn find_queue(&mut self, name: &str) -> Result<Option<Arc<Queue>>, ApiError> {
        if let Some(queue) = self.cache.queues.get(name) {
            return Ok(Some(queue.clone()));
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, region, created, modified, attributes, tags FROM queues WHERE name = ?1")?;
        let found = statement.query_row([name], |row| {
            let (attributes, tags): (String, String) = (row.get(4)?, row.get(5)?);
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, attributes, tags))
        });
        let Some((id, region, created, modified, attributes, tags)) = found.optional()? else { return Ok(None) };
        let attributes: Attributes = read(&attributes)?;
        let settings = Settings::of(&attributes, name::is_fifo(name));
        let name: Arc<str> = name.into();
        let tags = read(&tags)?;
        let queue = Arc::new(Queue { id, name: name.clone(), region, created, modified, attributes, settings, tags });
        self.cache.queues.insert(name, queue.clone());
        Ok(Some(queue))
    }

    /// The queue that a URL names.
    pub(crate) fn queue_at(&mut self, url: &str) -> Result<Arc<Queue>, ApiError> {
        let name = name::of_url(url)?;
        self.find_queue(name)?.ok_or_else(errors::no_queue)
    }

    /// The queue that an ARN names, whatever the ARN's region; `None` if there is none.
    pub(crate) fn queue_by_arn(&mut self, arn: &str) -> Result<Option<Arc<Queue>>, ApiError> {
        match name::of_arn(arn) {
            Some(name) => self.find_queue(name),
            None => Ok(None),
        }
    }

    /// Writes a queue's attributes and tags.
    pub(crate) fn save_queue(&mut self, queue: &Queue) -> Result<(), ApiError> {
        self.cache.queues.remove(&queue.name);
        self.connection
            .prepare_cached("UPDATE queues SET modified = ?2, attributes = ?3, tags = ?4 WHERE id = ?1")?
            .execute(params![queue.id, self.now, write(&queue.attributes), write(&queue.tags)])?;
        Ok(())
    }
}

fn read(text: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(ApiError::internal)?;
    Ok(object.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect())
}

pub(crate) fn write(map: &BTreeMap<String, String>) -> String {
    let object: serde_json::Map<String, serde_json::Value> =
        map.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    serde_json::Value::Object(object).to_string()
}
