use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use order_domain::Moment;
use serde::{Serialize, Serializer};

/// A day in UTC, written as `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// Returns the day of a moment; `None` before the year 1, which no date of PostgreSQL's ISO style has.
    pub fn of(moment: Moment) -> Option<Self> {
        let time = Timestamp::from_microsecond(moment.as_microseconds()).ok()?;
        Self::valid(TimeZone::UTC.to_datetime(time).date())
    }

    fn valid(date: Date) -> Option<Self> {
        (date.year() >= 1).then_some(Self(date))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Input should be a date such as 2026-01-31")]
pub struct DayError;

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        // jiff also reads dates with a time, and years of six digits.
        let date = (text.len() == 10).then(|| text.parse().ok()).flatten();
        date.and_then(Self::valid).filter(|day| day.to_string() == text).ok_or(DayError)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        for (moment, day) in [
            ("2026-01-02T00:00:00Z", "2026-01-02"),
            ("2026-01-01T23:59:59.999999Z", "2026-01-01"),
            ("2026-01-02T01:30:00+02:00", "2026-01-01"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31"),
            ("9999-12-30T00:00:00Z", "9999-12-30"),
        ] {
            let day_of = Day::of(moment.parse().expect("a moment")).expect("a day");
            assert_eq!(day_of.to_string(), day, "{moment}");
            assert_eq!(day.parse(), Ok(day_of));
        }
    }

    #[test]
    fn only_one_spelling_is_a_day() {
        for text in
            ["", "2026-1-2", "2026-02-30", "20260102", "2026-01-02T00", "0000-01-01", "-00001-01-01", "2026/01/02"]
        {
            assert_eq!(text.parse::<Day>(), Err(DayError), "{text}");
        }
    }
}
