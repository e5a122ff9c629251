//! What the three batches have in common.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::errors;
use crate::front::call::Call;
use crate::front::error::{ApiError, Fault};

const MOST: usize = 10;
const LONGEST_ID: usize = 80;

/// An entry's id and its parameters, the id included.
pub(crate) type Entry<'a> = (&'a str, &'a Map<String, Value>);

/// The entries of a batch, each with its id, after the checks of the batch as a whole.
pub(crate) fn entries(call: &Call) -> Result<Vec<Entry<'_>>, ApiError> {
    let entries = call.parameters.get("Entries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match entries.len() {
        0 => return Err(errors::empty_batch()),
        count if count > MOST => return Err(errors::too_many_entries(count)),
        _ => {}
    }
    let mut seen = BTreeSet::new();
    let mut identified = Vec::new();
    for entry in entries.iter().filter_map(Value::as_object) {
        let id = entry.get("Id").and_then(Value::as_str).unwrap_or_default();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=LONGEST_ID).contains(&id.len()) || !id.bytes().all(is_allowed) {
            return Err(errors::invalid_batch_id());
        }
        if !seen.insert(id) {
            return Err(errors::ids_not_distinct(id));
        }
        identified.push((id, entry));
    }
    Ok(identified)
}

/// Runs each entry. A mistake of the caller fails its entry alone; a failure of the store fails the batch.
pub(crate) fn run(
    entries: Vec<Entry<'_>>,
    mut one: impl FnMut(&Map<String, Value>) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let (mut successful, mut failed) = (Vec::with_capacity(entries.len()), Vec::new());
    for (id, entry) in entries {
        match one(entry) {
            Ok(mut done) => {
                done["Id"] = id.into();
                successful.push(done);
            }
            Err(error) if error.fault == Fault::Receiver => return Err(error),
            Err(error) => failed.push(json!({
                "Id": id, "SenderFault": true, "Code": error.query_code, "Message": error.message,
            })),
        }
    }
    let mut answer = Map::new();
    for (name, list) in [("Successful", successful), ("Failed", failed)] {
        if !list.is_empty() {
            answer.insert(name.to_owned(), list.into());
        }
    }
    Ok(Value::Object(answer))
}
