//! What is written down of a promotion, before it changes anything and at every step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One promotion, or one rollback that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub version: u32,
    /// Sorts by time: `20261121T100000123Z-1a2b3c4d`.
    pub id: String,
    pub environment: String,
    pub kind: Kind,
    /// Who, as AWS knows them, and as their machine does.
    pub by: String,
    pub owner: String,
    /// RFC 3339.
    pub began: String,
    pub ended: Option<String>,
    pub release: Release,
    /// What was live before; `None` for the first one.
    pub previous: Option<Release>,
    /// Names of the files of evidence that are kept beside this.
    pub evidence: Vec<String>,
    pub step: Step,
    /// `None` while it goes on, and for ever when it was killed.
    pub outcome: Option<Outcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Promotion,
    Rollback,
}

/// Everything of which a release is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The promotion that made it first; its Terraform files are kept under this name.
    pub id: String,
    pub commit: String,
    /// By service.
    pub images: BTreeMap<String, ReleasedImage>,
    /// Of the Terraform files, as [`crate::evidence::tree_digest`] sees them.
    pub terraform: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedImage {
    /// `REPOSITORY@sha256:...`.
    pub reference: String,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// The id under which it was tested.
    pub tested: String,
}

impl Release {
    /// Whether another one is made of the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.images == other.images && self.terraform == other.terraform
    }
}

impl ReleasedImage {
    /// Of its manifest.
    pub fn digest(&self) -> &str {
        self.reference.split_once('@').map_or("", |(_, digest)| digest)
    }
}

/// How far it got. Up to `Planned`, nothing has changed that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Began,
    Pushed,
    Planned,
    Applying,
    Waiting,
    Smoking,
    RollingBack,
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    Live,
    /// It was live or about to be, and what was before is live again.
    RolledBack {
        cause: String,
    },
    /// A first release that failed has nothing before it.
    ScaledToZero {
        cause: String,
    },
    /// Somebody has to look.
    RollbackFailed {
        cause: String,
        rollback: String,
    },
    /// It ended before anything changed.
    NothingChanged {
        cause: String,
    },
    /// It was killed, and a later one took its place.
    Superseded {
        by: String,
    },
}

/// Why a record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("it is no record: {0}")]
    Unreadable(String),
    #[error("it has version {found}; this devenv reads version {known}", known = Record::VERSION)]
    Version { found: u32 },
}

impl Record {
    pub const VERSION: u32 = 1;

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a record is plain data");
        text.push('\n');
        text
    }

    pub fn read(json: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let unreadable = |error: serde_json::Error| RecordError::Unreadable(error.to_string());
        let Versioned { version: found } = serde_json::from_slice(json).map_err(unreadable)?;
        if found != Self::VERSION {
            return Err(RecordError::Version { found });
        }
        serde_json::from_slice(json).map_err(unreadable)
    }

    pub fn is_live(&self) -> bool {
        self.outcome == Some(Outcome::Live)
    }

    /// Killed after it may have changed what runs.
    pub fn is_half_done(&self) -> bool {
        self.outcome.is_none() && self.step >= Step::Applying
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let image = ReleasedImage {
            reference: format!("registry.example/order-api@sha256:{}", "1".repeat(64)),
            platform: "linux/amd64".to_owned(),
            tested: format!("sha256:{}", "2".repeat(64)),
        };
        Record {
            version: Record::VERSION,
            id: "20261121T100000123Z-1a2b3c4d".to_owned(),
            environment: "dev".to_owned(),
            kind: Kind::Promotion,
            by: "arn:aws:iam::123456789012:role/orders-dev-promote".to_owned(),
            owner: "ada@laptop".to_owned(),
            began: "2026-11-21T10:00:00Z".to_owned(),
            ended: None,
            release: Release {
                id: "20261121T100000123Z-1a2b3c4d".to_owned(),
                commit: "4".repeat(40),
                images: [("order-api".to_owned(), image)].into(),
                terraform: "3".repeat(64),
            },
            previous: None,
            evidence: vec!["20261121T095900Z-embedded-5.json".to_owned()],
            step: Step::Applying,
            outcome: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        insta::assert_snapshot!(record().to_json());
        assert_eq!(Record::read(record().to_json().as_bytes()), Ok(record()));
        assert_eq!(record().release.images["order-api"].digest(), format!("sha256:{}", "1".repeat(64)));
    }

    #[test]
    fn one_that_was_cut_off_or_is_of_another_version_is_refused() {
        let json = record().to_json();
        for end in [0, 1, json.len() / 2, json.trim_end().len() - 1] {
            assert!(matches!(Record::read(&json.as_bytes()[..end]), Err(RecordError::Unreadable(_))), "{end} bytes");
        }
        let newer = json.replacen("\"version\": 1", "\"version\": 2", 1);
        assert_eq!(Record::read(newer.as_bytes()), Err(RecordError::Version { found: 2 }));
    }

    #[test]
    fn it_is_half_done_when_it_was_killed_after_the_plan() {
        for (step, outcome, half_done) in [
            (Step::Began, None, false),
            (Step::Planned, None, false),
            (Step::Applying, None, true),
            (Step::RollingBack, None, true),
            (Step::Ended, Some(Outcome::Live), false),
        ] {
            assert_eq!(Record { step, outcome, ..record() }.is_half_done(), half_done, "{step:?}");
        }
    }
}
