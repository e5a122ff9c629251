//! Errors of a host.

use std::fmt;

#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action}: {cause}")]
pub struct HostError {
    /// Such as `start the container orders-1a2b3c-order-api`.
    pub action: String,
    pub cause: String,
    pub kind: HostErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostErrorKind {
    /// What it was about does not exist.
    NotFound,
    /// A name is taken, or something is in use.
    Conflict,
    PortTaken,
    DiskFull,
    /// The host does not answer any more.
    Unreachable,
    Other,
}

/// No host answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
pub struct NoHost {
    /// Each place that was asked, and what came of it.
    pub tried: Vec<(String, String)>,
    /// The command that starts the engine that is installed, or installs one.
    pub remedy: String,
}

impl fmt::Display for NoHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no container engine answers")?;
        for (index, (place, outcome)) in self.tried.iter().enumerate() {
            write!(formatter, "{} {place}: {outcome}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}
