//! The values of options: durations, times and patterns.

use std::time::Duration;

use jiff::Timestamp;
use regex_lite::Regex;

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is not a duration such as 90s, 2m or 500ms");
    let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

/// A point in time, or a duration before now.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let wrong = || format!("{text} is neither a time such as 2026-01-31T10:00:00Z nor a duration such as 10m");
    let before: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Timestamp::now().checked_sub(before.abs()).map_err(|_| wrong())
}

/// `NAME=VALUE`, or `NAME` alone.
pub(crate) fn variable(text: &str) -> Result<String, String> {
    let name = text.split('=').next().unwrap_or_default();
    if name.is_empty() || text.contains('\0') { Err(format!("{text} has no name")) } else { Ok(text.to_owned()) }
}

pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("{text} is not a regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_begin_at_a_time_or_a_duration_ago() {
        assert_eq!(since("2026-01-31T10:00:00Z").map(Timestamp::as_second), Ok(1_769_853_600));
        assert_eq!(since("2026-01-31T12:00:00+02:00"), since("2026-01-31T10:00:00Z"));
        let ago = |text| Timestamp::now().as_second() - since(text).expect("a duration").as_second();
        assert!((599..=601).contains(&ago("10m")) && (5399..=5401).contains(&ago("1h30m")));
        for bad in ["", "yesterday", "10", "99999999999h"] {
            assert!(since(bad).is_err(), "{bad}");
        }
        assert!(pattern("(").is_err_and(|message| message.contains("not a regular expression")));
    }

    #[test]
    fn durations() {
        assert_eq!(duration("120s"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "0s", "-5s", "soon", "5"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
