//! The record of a promotion, written before any change and at every step.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::format::{self, FormatError};

/// One promotion, or one requested rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub version: u32,
    /// Sorts by the order of promotions, as [`super::id::compare_ids`] does: `r000042-1a2b3c4d5e6f7081`.
    pub id: String,
    pub environment: String,
    pub kind: Kind,
    /// The caller: its identity in AWS (`by`) and `user@host` (`owner`).
    pub by: String,
    pub owner: String,
    /// RFC 3339.
    pub began: String,
    pub ended: Option<String>,
    pub release: Release,
    /// While it runs, the release that was live at its beginning. After it ended live, the release that a rollback returns to: for a
    /// rollback, the one before the release that it returned to. `None` for the first one.
    pub previous: Option<Release>,
    /// The names of the evidence files beside this record.
    pub evidence: Vec<String>,
    pub step: Step,
    /// `None` while it runs, and for ever if it was killed.
    pub outcome: Option<Outcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Promotion,
    Rollback,
}

/// The parts of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The promotion that made it first; its Terraform files are kept under this name.
    pub id: String,
    pub commit: String,
    /// The images, by service.
    pub images: BTreeMap<String, ReleasedImage>,
    /// The digest of the Terraform files, by `devenv_model::evidence::tree_digest`.
    pub terraform: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedImage {
    /// `REPOSITORY@sha256:...`.
    pub reference: String,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// The digest under which it was tested: that of the reference. A former devenv wrote the id of its container engine.
    pub tested: String,
}

impl Release {
    /// Whether another release has the same parts.
    pub fn is_same(&self, other: &Self) -> bool {
        self.images == other.images && self.terraform == other.terraform
    }
}

impl ReleasedImage {
    /// The digest of its manifest.
    pub fn digest(&self) -> &str {
        self.reference.split_once('@').map_or("", |(_, digest)| digest)
    }
}

/// The progress of a promotion. Up to `Planned`, nothing that runs has changed.
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
    /// It had begun to go live, and the previous release is live again.
    RolledBack {
        cause: String,
    },
    /// A failed first release has no predecessor.
    ScaledToZero {
        cause: String,
    },
    /// A person must intervene.
    RollbackFailed {
        cause: String,
        rollback: String,
    },
    /// It ended before anything changed.
    NothingChanged {
        cause: String,
    },
    /// It was killed, and a later promotion replaced it.
    Superseded {
        by: String,
    },
}

impl Record {
    /// The version in the file. A devenv without live pointers refuses it: it would leave the pointer stale.
    pub const VERSION: u32 = 2;
    pub(super) const VERSIONS: RangeInclusive<u32> = 1..=Self::VERSION;

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a record is plain data");
        text.push('\n');
        text
    }

    pub fn read(json: &[u8]) -> Result<Self, FormatError> {
        format::read("record", &Self::VERSIONS, json)
    }

    pub fn is_live(&self) -> bool {
        self.outcome == Some(Outcome::Live)
    }

    /// Whether its `previous` is the release that a rollback left, as an earlier devenv wrote it.
    pub fn names_what_it_left(&self) -> bool {
        self.version == 1 && self.kind == Kind::Rollback
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
            id: "r000042-1a2b3c4d5e6f7081".to_owned(),
            environment: "dev".to_owned(),
            kind: Kind::Promotion,
            by: "arn:aws:iam::123456789012:role/orders-dev-promote".to_owned(),
            owner: "ada@laptop".to_owned(),
            began: "2026-11-21T10:00:00Z".to_owned(),
            ended: None,
            release: Release {
                id: "r000042-1a2b3c4d5e6f7081".to_owned(),
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
            let read = Record::read(&json.as_bytes()[..end]);
            assert!(matches!(read, Err(FormatError::Unreadable { .. })), "{end} bytes");
        }
        let of_version = |version: u32| json.replacen("\"version\": 2", &format!("\"version\": {version}"), 1);
        let refused = Record::read(of_version(3).as_bytes()).expect_err("it is newer");
        assert_eq!(refused, FormatError::Version { what: "record", found: 3, known: 2 });
        assert_eq!(Record::read(of_version(1).as_bytes()), Ok(Record { version: 1, ..record() }));
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
