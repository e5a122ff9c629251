//! The lock of an environment, which admits one promotion at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::format::{self, FormatError};

/// The content of an environment's lock. Its holder rewrites it while it works, so that missing writes reveal a dead holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    pub version: u32,
    /// For people, such as `ada@laptop`.
    pub owner: String,
    /// The random name of the holder's folder: a second run in the same folder knows whether the first lives.
    pub place: String,
    /// The random name of the holding run.
    pub promotion: String,
    /// Unix seconds by the holder's clock, for people.
    pub since: i64,
    /// 0 after release. Otherwise it grows with every renewal; an earlier devenv reads it as Unix seconds.
    pub until: i64,
}

impl Lease {
    pub const VERSION: u32 = 1;
    /// How long it holds without a renewal.
    pub const LASTS: Duration = Duration::from_secs(Self::SECONDS.unsigned_abs());
    const SECONDS: i64 = 60;

    /// A lease of the run `promotion` from now on (Unix seconds).
    pub fn new(owner: String, place: String, promotion: String, now: i64) -> Self {
        Self { version: Self::VERSION, owner, place, promotion, since: now, until: now + Self::SECONDS }
    }

    pub fn read(json: &[u8]) -> Result<Self, FormatError> {
        format::read("lock", &(Self::VERSION..=Self::VERSION), json)
    }

    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a lease is plain data")
    }

    pub fn is_given_up(&self) -> bool {
        self.until == 0
    }

    /// Whether the same run holds both.
    pub fn is_of(&self, other: &Self) -> bool {
        self.place == other.place && self.promotion == other.promotion && !self.is_given_up()
    }

    /// The renewed lease. It always differs, even if the clock was set back: the change shows others that the holder lives.
    #[must_use]
    pub fn renewed(&self, now: i64) -> Self {
        Self { until: (now + Self::SECONDS).max(self.until + 1), ..self.clone() }
    }

    /// The released lease.
    #[must_use]
    pub fn given_up(&self) -> Self {
        Self { until: 0, ..self.clone() }
    }
}

/// An observer's knowledge of a lock that it wants. Only the time elapsed on the observer's own clock counts.
#[derive(Debug, Default)]
pub struct Watch {
    /// The ETag of the content, and the observer's time at its first sight.
    seen: Option<(String, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It may be taken: released, left by a run of the observer's own folder, or not renewed for its whole duration.
    Free,
    /// Its holder has renewed it since the first look, or another run took it: that run lives.
    Alive,
    /// Its holder may be dead. The lock is free if it is unchanged after this time.
    Wait(Duration),
}

impl Watch {
    /// Looks at the lock. `place` is the observer's folder, whose own lock the observer holds: no other run lives there.
    pub fn look(&mut self, lease: &Lease, etag: &str, place: &str, now: Duration) -> Sight {
        if lease.is_given_up() || lease.place == place {
            return Sight::Free;
        }
        match &self.seen {
            None => {
                self.seen = Some((etag.to_owned(), now));
                Sight::Wait(Lease::LASTS)
            }
            Some((seen, _)) if seen != etag => Sight::Alive,
            Some((_, since)) => match Lease::LASTS.checked_sub(now.saturating_sub(*since)) {
                None | Some(Duration::ZERO) => Sight::Free,
                Some(left) => Sight::Wait(left),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lease of a holder whose clock is off by this many seconds.
    fn lease(off: i64) -> Lease {
        Lease::new("ada@laptop".to_owned(), "1a2b".to_owned(), "3c4d".to_owned(), 1_795_000_000 + off)
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_is_free_when_nobody_renewed_it_while_it_was_watched() {
        for off in [-900, 0, 900] {
            let mut watch = Watch::default();
            let mut look = |now| watch.look(&lease(off), "1", "5e6f", seconds(now));
            assert_eq!(look(1000), Sight::Wait(seconds(60)), "{off}");
            assert_eq!(look(1059), Sight::Wait(seconds(1)), "{off}");
            assert_eq!(look(1060), Sight::Free, "{off}");
        }
    }

    #[test]
    fn a_holder_that_renews_it_lives_whatever_its_clock_shows() {
        for off in [-900, 0, 900] {
            let mut watch = Watch::default();
            assert_eq!(watch.look(&lease(off), "1", "5e6f", seconds(10)), Sight::Wait(seconds(60)));
            let renewed = lease(off).renewed(0);
            assert_ne!(renewed, lease(off), "a clock that was put back");
            assert_eq!(watch.look(&renewed, "2", "5e6f", seconds(25)), Sight::Alive, "{off}");
        }
    }

    #[test]
    fn it_is_free_at_once_when_given_up_or_left_in_the_same_folder() {
        assert_eq!(Watch::default().look(&lease(900).given_up(), "1", "5e6f", seconds(0)), Sight::Free);
        assert_eq!(Watch::default().look(&lease(900), "1", "1a2b", seconds(0)), Sight::Free);
    }

    #[test]
    fn it_is_of_one_run_in_one_folder_until_it_is_given_up() {
        let held = lease(0);
        assert!(held.renewed(1_795_000_030).is_of(&held));
        assert!(!Lease { place: "5e6f".to_owned(), ..held.clone() }.is_of(&held));
        assert!(!Lease { promotion: "7a8b".to_owned(), ..held.clone() }.is_of(&held));
        assert!(!held.given_up().is_of(&held));
    }

    #[test]
    fn a_renewal_lasts_from_now_on_and_grows_though_the_clock_was_put_back() {
        assert_eq!(lease(0).renewed(1_795_000_030).until, 1_795_000_090);
        assert_eq!(lease(0).renewed(0).until, lease(0).until + 1);
    }

    #[test]
    fn what_is_written_is_read_and_a_newer_one_is_refused() {
        let json = lease(0).to_json();
        assert_eq!(Lease::read(&json), Ok(lease(0)));
        let newer = String::from_utf8(json).expect("JSON").replacen("\"version\":1", "\"version\":2,\"more\":0", 1);
        let refused = Lease::read(newer.as_bytes()).expect_err("it is newer");
        assert_eq!(refused, FormatError::Version { what: "lock", found: 2, known: 1 });
        assert!(matches!(Lease::read(b"{}"), Err(FormatError::Unreadable { .. })));
    }
}
