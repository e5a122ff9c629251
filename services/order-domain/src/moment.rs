use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A moment in UTC, in microseconds. Its text is RFC 3339 with exactly six decimals, so that texts sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

impl Moment {
    pub fn now() -> Self {
        let now = Timestamp::now();
        Self::from_microseconds(now.as_microsecond()).unwrap_or(Self(now))
    }

    /// Converts microseconds since the Unix epoch; `None` outside the years of RFC 3339.
    pub fn from_microseconds(microseconds: i64) -> Option<Self> {
        Timestamp::from_microsecond(microseconds).ok().map(Self)
    }

    pub fn as_microseconds(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Returns the moment `duration` earlier, or the earliest possible one.
    #[must_use]
    pub fn before(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(duration).unwrap_or(Timestamp::MIN))
    }

    /// Returns the moment `duration` later, or the latest possible one.
    #[must_use]
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(duration).unwrap_or(Timestamp::MAX))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.6}", self.0)
    }
}

/// Reads RFC 3339.
impl FromStr for Moment {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_exactly_six_decimals() {
        for (microseconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_500_000, "1970-01-01T00:00:01.500000Z"),
            (1_700_000_000_000_001, "2023-11-14T22:13:20.000001Z"),
        ] {
            let moment = Moment::from_microseconds(microseconds).expect("in range");
            assert_eq!(moment.to_string(), text);
            let back: Moment = serde_json::from_value(serde_json::json!(text)).expect("its own text");
            assert_eq!(back, moment);
        }
    }

    proptest::proptest! {
        #[test]
        fn text_sorts_as_the_moment_does(left in 0_i64..4_000_000_000_000_000, right in 0_i64..4_000_000_000_000_000) {
            let (left, right) = (Moment::from_microseconds(left).expect("in range"), Moment::from_microseconds(right).expect("in range"));
            proptest::prop_assert_eq!(left.cmp(&right), left.to_string().cmp(&right.to_string()));
        }
    }
}
