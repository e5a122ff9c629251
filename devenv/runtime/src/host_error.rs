//! Errors of a host.

use std::fmt;

#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action}: {cause}")]
pub struct HostError {
    /// The failed action, such as `start the container orders-1a2b3c-order-api`.
    pub action: String,
    pub cause: String,
    pub kind: HostErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostErrorKind {
    /// The object of the action does not exist.
    NotFound,
    /// A name is taken, or an object is in use.
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
    /// Each tried address, and the outcome there.
    pub tried: Vec<(String, String)>,
    /// The command that starts the installed engine, or installs one.
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
