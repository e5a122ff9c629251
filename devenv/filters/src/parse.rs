use serde_json::{Map, Value};

use super::condition::{self, Condition};
use super::error::{FilterError, Path};
use super::policy::{Clause, Group, Scope};

const OR: &str = "$or";

pub(super) fn json(text: &str) -> Result<Value, FilterError> {
    serde_json::from_str(text).map_err(|error| Path::default().error(format!("failed to parse JSON ({error})")))
}

pub(super) fn policy(value: &Value, scope: Scope) -> Result<Group, FilterError> {
    let root = Path::default();
    let members = value.as_object().ok_or_else(|| root.error("Filter policy must be a JSON object"))?;
    group(members, scope, &root)
}

fn group(members: &Map<String, Value>, scope: Scope, at: &Path) -> Result<Group, FilterError> {
    members.iter().map(|(key, value)| clause(key, value, scope, &at.key(key))).collect::<Result<_, _>>().map(Group)
}

fn clause(key: &str, value: &Value, scope: Scope, at: &Path) -> Result<Clause, FilterError> {
    if key == OR {
        return alternatives(value, scope, at);
    }
    match value {
        Value::Array(rules) => Ok(Clause::Leaf { key: key.to_owned(), conditions: conditions(rules, at)? }),
        Value::Object(_) if scope == Scope::MessageAttributes => {
            Err(at.error("Filter policy scope MessageAttributes does not support nested filter policy"))
        }
        Value::Object(members) if members.is_empty() => Err(at.error("Empty objects are not allowed")),
        Value::Object(members) => Ok(Clause::Nested { key: key.to_owned(), group: group(members, scope, at)? }),
        _ => Err(at.error(format!("{key:?} must be an object or an array"))),
    }
}

fn conditions(rules: &[Value], at: &Path) -> Result<Vec<Condition>, FilterError> {
    if rules.is_empty() {
        return Err(at.error("Empty arrays are not allowed"));
    }
    rules.iter().enumerate().map(|(index, rule)| condition::read(rule, &at.index(index))).collect()
}

/// SNS takes `$or` for a key of the message unless it holds two objects or more, none of which has the name of an operator
/// as a key. A policy that depends on this rule is a mistake, and refused.
fn alternatives(value: &Value, scope: Scope, at: &Path) -> Result<Clause, FilterError> {
    let groups = value.as_array().filter(|groups| groups.len() > 1);
    let groups = groups.ok_or_else(|| at.error("$or must be an array of two objects or more"))?;
    let read = |(index, value): (usize, &Value)| {
        let at = at.index(index);
        let members = value.as_object().filter(|members| !members.is_empty());
        let members = members.ok_or_else(|| at.error("$or must hold objects with at least one key"))?;
        if let Some(operator) = members.keys().find(|key| condition::OPERATORS.contains(&key.as_str())) {
            return Err(at.key(operator).error(format!("the operator {operator} is no key of $or")));
        }
        group(members, scope, &at)
    };
    groups.iter().enumerate().map(read).collect::<Result<_, _>>().map(Clause::Or)
}
