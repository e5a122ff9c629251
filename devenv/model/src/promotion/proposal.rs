//! The proposal of a promotion, for a person to read.

use serde::{Deserialize, Serialize};

use crate::promotion::changes::Changes;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub environment: String,
    pub images: Vec<ImageChange>,
    /// The commits between, newest first, one line each; `None` if unknown.
    pub commits: Option<Vec<String>>,
    pub changes: Changes,
    /// The plan as Terraform shows it.
    pub plan: String,
    /// Whether there is nothing to do.
    pub is_empty: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageChange {
    pub service: String,
    /// Digests of manifests; `None` without an earlier image.
    pub from: Option<String>,
    pub to: String,
}
