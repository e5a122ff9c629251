use serde_json::Value;

use super::condition::Condition;
use super::error::FilterError;
use super::{limits, parse};

/// The part of a message that a policy looks at (`FilterPolicyScope`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    MessageAttributes,
    MessageBody,
}

impl Scope {
    /// Reads the value of `FilterPolicyScope`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "MessageAttributes" => Some(Self::MessageAttributes),
            "MessageBody" => Some(Self::MessageBody),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::MessageAttributes => "MessageAttributes",
            Self::MessageBody => "MessageBody",
        }
    }
}

/// A checked filter policy. Source: "Amazon SNS subscription filter policies" in the SNS Developer Guide.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPolicy {
    pub(super) scope: Scope,
    pub(super) root: Group,
}

/// Clauses that all have to hold for one object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Group(pub(super) Vec<Clause>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clause {
    /// One of the conditions holds for the key's value.
    Leaf { key: String, conditions: Vec<Condition> },
    /// The group holds for the object under the key.
    Nested { key: String, group: Group },
    /// One of the groups holds.
    Or(Vec<Group>),
}

impl FilterPolicy {
    /// Reads a policy from JSON text. Refuses what SNS refuses, and what this module cannot match.
    pub fn parse(text: &str, scope: Scope) -> Result<Self, FilterError> {
        limits::check_length(text)?;
        Self::from_value(&parse::json(text)?, scope)
    }

    /// Reads a policy from a JSON value.
    pub fn from_value(value: &Value, scope: Scope) -> Result<Self, FilterError> {
        let root = parse::policy(value, scope)?;
        limits::check(&root)?;
        Ok(Self { scope, root })
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Reports whether the policy is `{}`, which filters nothing: SNS treats it as no policy.
    pub fn is_empty(&self) -> bool {
        self.root.0.is_empty()
    }
}
