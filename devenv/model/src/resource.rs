//! What a resource of AWS is called in plans, causes, events and conflicts, whatever its kind.

use std::fmt;

/// A kind of resource that an emulator offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    Table,
}

impl ResourceKind {
    /// As plans and their JSON spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Of one kind, no two resources have the same name.
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

/// Such as `table orders`.
impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}
