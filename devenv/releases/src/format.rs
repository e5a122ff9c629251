//! Reads the objects in an environment's bucket: the version first, so that an older devenv refuses a newer format.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The defect of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Truncated, or written by hand.
    #[error("it is not a {what}: {cause}")]
    Unreadable { what: &'static str, cause: String },
    #[error("it has version {found}; this devenv reads version {known}")]
    Version { what: &'static str, found: u32, known: u32 },
}

impl FormatError {
    /// `record`, `lock` or `live pointer`.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Unreadable { what, .. } | Self::Version { what, .. } => what,
        }
    }
}

pub(super) fn read<T: DeserializeOwned>(
    what: &'static str,
    known: &RangeInclusive<u32>,
    json: &[u8],
) -> Result<T, FormatError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let unreadable = |error: serde_json::Error| FormatError::Unreadable { what, cause: error.to_string() };
    let Versioned { version: found } = serde_json::from_slice(json).map_err(unreadable)?;
    if !known.contains(&found) {
        return Err(FormatError::Version { what, found, known: *known.end() });
    }
    serde_json::from_slice(json).map_err(unreadable)
}
