//! What a promotion would do, for a person to read.

use serde::Serialize;

use crate::promotion::changes::Changes;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    pub environment: String,
    pub images: Vec<ImageChange>,
    /// The commits between, newest first, a line each; `None` where they cannot be told.
    pub commits: Option<Vec<String>>,
    pub changes: Changes,
    /// The plan as Terraform shows it.
    pub plan: String,
    /// Whether there is nothing to do.
    pub is_empty: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageChange {
    pub service: String,
    /// Digests of manifests; `None` where there was none.
    pub from: Option<String>,
    pub to: String,
}
