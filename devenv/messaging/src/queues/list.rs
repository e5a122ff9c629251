use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::name;
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// The most queues of one answer.
const MOST: i64 = 1_000;

pub(crate) fn all(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let prefix = call.text("QueueNamePrefix").unwrap_or_default().to_owned();
    let names = transaction.queue_names()?.into_iter().filter(|name| name.starts_with(&prefix)).collect();
    let mut answer = page(call, names)?;
    // As SQS does: an answer without queues has no list.
    if answer["QueueUrls"].as_array().is_some_and(Vec::is_empty) {
        answer = json!({});
    }
    Ok(answer)
}

pub(crate) fn dead_letter_sources(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    let names = transaction.sources_of(&queue.name)?;
    let mut answer = page(call, names)?;
    if let Some(urls) = answer.as_object_mut().and_then(|answer| answer.remove("QueueUrls")) {
        answer["queueUrls"] = urls;
    }
    Ok(answer)
}

/// The page of sorted names that the call asks for. There is a token for the next page only if the call limits the page.
fn page(call: &Call, names: Vec<String>) -> Result<Value, ApiError> {
    let most = call.integer("MaxResults");
    if let Some(wrong) = most.filter(|most| !(1..=MOST).contains(most)) {
        return Err(ApiError::invalid_value("MaxResults", wrong, "Must be between 1 and 1000, if provided."));
    }
    let after = match call.text("NextToken") {
        None => None,
        Some(_) if most.is_none() => {
            return Err(ApiError::invalid_parameter("NextToken needs MaxResults."));
        }
        Some(token) => {
            let name = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(name.ok_or_else(|| ApiError::invalid_value("NextToken", token, "Invalid NextToken."))?)
        }
    };
    let limit = usize::try_from(most.unwrap_or(MOST)).unwrap_or_default();
    let mut rest = names.into_iter().filter(|name| after.as_ref().is_none_or(|after| name > after));
    let page: Vec<String> = rest.by_ref().take(limit).collect();
    let urls: Vec<String> = page.iter().map(|name| name::url(&call.base, name)).collect();
    let mut answer = json!({ "QueueUrls": urls });
    if let (Some(_), Some(_), Some(last)) = (most, rest.next(), page.last()) {
        answer["NextToken"] = STANDARD.encode(last).into();
    }
    Ok(answer)
}

impl Transaction<'_> {
    /// The names of all queues, sorted.
    pub(crate) fn queue_names(&mut self) -> Result<Vec<String>, ApiError> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM queues ORDER BY name")?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(names)
    }

    /// The names of the queues whose dead letters go to this one.
    pub(crate) fn sources_of(&mut self, target: &str) -> Result<Vec<String>, ApiError> {
        let mut sources = Vec::new();
        for name in self.queue_names()? {
            let policy = self.find_queue(&name)?.and_then(|queue| queue.settings.redrive.clone());
            if policy.is_some_and(|policy| policy.target == target) {
                sources.push(name);
            }
        }
        Ok(sources)
    }
}
