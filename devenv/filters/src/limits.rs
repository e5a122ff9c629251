//! The constraints of SNS on a whole policy. Source: "Filter policy constraints" in the SNS Developer Guide.

use super::condition::Condition;
use super::error::{FilterError, Path};
use super::policy::{Clause, Group};
use super::wildcard::Wildcard;

/// Bytes.
const LONGEST: usize = 256 * 1024;
const KEYS: usize = 5;
const COMBINATIONS: u64 = 150;
/// A pattern with one wildcard counts as 1, with several as 3.
const WILDCARD_POINTS: usize = 100;

pub(super) fn check_length(text: &str) -> Result<(), FilterError> {
    if text.len() > LONGEST {
        return Err(Path::default().error(format!("Filter policy is longer than {LONGEST} bytes")));
    }
    Ok(())
}

pub(super) fn check(root: &Group) -> Result<(), FilterError> {
    let refuse = |reason: String| Err(Path::default().error(reason));
    if keys(root) > KEYS {
        return refuse(format!("Filter policy can not have more than {KEYS} keys"));
    }
    let count = combinations(root, 1);
    if count > COMBINATIONS {
        return refuse(format!("Filter policy is too complex: {count} combinations of values, limit {COMBINATIONS}"));
    }
    let points = wildcard_points(root);
    if points > WILDCARD_POINTS {
        return refuse(format!("Filter policy is too complex: {points} points of wildcards, limit {WILDCARD_POINTS}"));
    }
    Ok(())
}

/// The keys with values: an object between them is not counted, and of the alternatives of an `$or` only the longest is.
fn keys(group: &Group) -> usize {
    let count = |clause: &Clause| match clause {
        Clause::Leaf { .. } => 1,
        Clause::Nested { group, .. } => keys(group),
        Clause::Or(groups) => groups.iter().map(keys).max().unwrap_or_default(),
    };
    group.0.iter().map(count).sum()
}

/// The product of the values of all keys, each times the depth of its key. The alternatives of an `$or` add up.
fn combinations(group: &Group, depth: u64) -> u64 {
    let count = |clause: &Clause| match clause {
        Clause::Leaf { conditions, .. } => (conditions.len() as u64).saturating_mul(depth),
        Clause::Nested { group, .. } => combinations(group, depth + 1),
        Clause::Or(groups) => groups.iter().fold(0, |sum, group| combinations(group, depth).saturating_add(sum)),
    };
    group.0.iter().fold(1, |product: u64, clause| product.saturating_mul(count(clause)))
}

fn wildcard_points(group: &Group) -> usize {
    let count = |clause: &Clause| match clause {
        Clause::Leaf { conditions, .. } => {
            conditions.iter().filter_map(Condition::wildcard).map(Wildcard::points).sum()
        }
        Clause::Nested { group, .. } => wildcard_points(group),
        Clause::Or(groups) => groups.iter().map(wildcard_points).sum(),
    };
    group.0.iter().map(count).sum()
}
