//! The identity of an AWS resource in plans, causes, events and conflicts, for every kind.

use std::fmt;

/// A kind of resource that an emulator offers, or the function host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    Table,
    Queue,
    Topic,
    Subscription,
    /// A PostgreSQL database, which a unit offers, and no emulator.
    Database,
    Function,
    EventSourceMapping,
}

impl ResourceKind {
    pub const ALL: [Self; 7] = [
        Self::Table,
        Self::Queue,
        Self::Topic,
        Self::Subscription,
        Self::Database,
        Self::Function,
        Self::EventSourceMapping,
    ];

    /// The kind's name in plans and their JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::Subscription => "subscription",
            Self::Database => "database",
            Self::Function => "function",
            Self::EventSourceMapping => "mapping",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A resource's kind and name. The name is unique within its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    pub kind: ResourceKind,
    pub name: String,
}

impl ResourceId {
    pub fn new(kind: ResourceKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    pub fn table(name: impl Into<String>) -> Self {
        Self::new(ResourceKind::Table, name)
    }
}

/// Writes kind and name, such as `table orders`.
impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}
