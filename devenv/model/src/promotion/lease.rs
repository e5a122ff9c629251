//! Who may promote to an environment: one promotion at a time.

use serde::{Deserialize, Serialize};

/// The content of an environment's lock. Its holder writes it anew while it works, so that a holder that died is known by
/// what it did not write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    pub version: u32,
    /// For people, such as `ada@laptop`.
    pub owner: String,
    /// The machine and the folder that the holder works in: a second run in the same folder knows whether the first lives.
    pub place: String,
    /// The promotion's id.
    pub promotion: String,
    /// Unix seconds.
    pub since: i64,
    /// Unix seconds; later than that, it is nobody's.
    pub until: i64,
}

impl Lease {
    pub const VERSION: u32 = 1;
    /// Seconds for which it holds without being written anew.
    pub const LASTS: i64 = 60;

    /// For `promotion` from now on.
    pub fn new(owner: String, place: String, promotion: String, now: i64) -> Self {
        Self { version: Self::VERSION, owner, place, promotion, since: now, until: now + Self::LASTS }
    }

    /// Whether somebody else has to wait. A holder in the same `place` is gone when this one has the place's own lock.
    pub fn keeps_out(&self, place: &str, now: i64) -> bool {
        now < self.until && self.place != place
    }

    #[must_use]
    pub fn renewed(&self, now: i64) -> Self {
        Self { until: now + Self::LASTS, ..self.clone() }
    }

    /// The same when given up.
    #[must_use]
    pub fn released(&self) -> Self {
        Self { until: 0, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_others_out_until_it_ends() {
        let lease = Lease::new("ada@laptop".to_owned(), "laptop:/orders".to_owned(), "1".to_owned(), 1000);
        assert!(lease.keeps_out("server:/orders", 1000) && lease.keeps_out("server:/orders", 1059));
        assert!(!lease.keeps_out("server:/orders", 1060));
        assert!(!lease.keeps_out("laptop:/orders", 1000), "the same folder has a lock of its own");
        assert!(lease.renewed(1050).keeps_out("server:/orders", 1109));
        assert!(!lease.released().keeps_out("server:/orders", 1001));
    }
}
