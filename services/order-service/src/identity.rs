//! A service's identity and configuration.

use crate::config::Common;

/// The name and version of a binary.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    pub name: &'static str,
    pub version: &'static str,
}

/// A service before its start: its identity and its settings.
#[derive(Debug, Clone)]
pub struct Service {
    pub identity: Identity,
    pub common: Common,
}
