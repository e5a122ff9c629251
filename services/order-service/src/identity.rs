//! What a service is called, and how it is configured.

use crate::config::Common;

/// The name and version that a binary reports.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    pub name: &'static str,
    pub version: &'static str,
}

/// A service that is about to run: what it is, and what it is told.
#[derive(Debug, Clone)]
pub struct Service {
    pub identity: Identity,
    pub common: Common,
}
