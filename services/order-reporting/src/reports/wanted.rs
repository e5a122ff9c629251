//! The parameters of a report.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use order_domain::{Invalid, MAX_TEXT};
use order_service::page::{limit, parameter};

use crate::day::Day;

/// The first and the last day that PostgreSQL and this program both know.
const FIRST: &str = "0001-01-01";
const LAST: &str = "9999-12-31";

/// The pages of a report: `C` is the place after which a page begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<C> {
    /// The days of the report, both included.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) limit: u16,
    pub(super) after: Option<C>,
}

impl<C> Wanted<C> {
    /// Reads the parameters; `cursor` reads a place, and returns `None` for a text that names none.
    pub(super) fn of(query: &[(String, String)], cursor: impl FnOnce(&str) -> Option<C>) -> Result<Self, Vec<Invalid>> {
        let value = |name| parameter(query, name);
        let mut reasons = Vec::new();
        let from = day("from", value("from")).map_err(|reason| reasons.push(reason)).ok().flatten();
        let to = day("to", value("to")).map_err(|reason| reasons.push(reason)).ok().flatten();
        let limit = limit(query).map_err(|reason| reasons.push(reason)).unwrap_or_default();
        let after = value("cursor").map(cursor);
        if matches!(after, Some(None)) {
            reasons.push(invalid("cursor", "value_error", "Cursor is malformed"));
        }
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            reasons.push(invalid("from", "value_error", "from should not be after to"));
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let text = |day: Option<Day>, other: &str| day.map_or_else(|| other.to_owned(), |day| day.to_string());
        Ok(Self { from: text(from, FIRST), to: text(to, LAST), limit, after: after.flatten() })
    }
}

/// Returns the place after an identifier, safe in a URL.
pub(super) fn cursor_of_text(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

pub(super) fn text_of_cursor(cursor: &str) -> Option<String> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    (1..=MAX_TEXT).contains(&text.chars().take(MAX_TEXT + 1).count()).then_some(text)
}

pub(super) fn day_of_cursor(cursor: &str) -> Option<Day> {
    cursor.parse().ok()
}

fn day(field: &'static str, value: Option<&str>) -> Result<Option<Day>, Invalid> {
    let parsed = value.map(str::parse::<Day>).transpose();
    parsed.map_err(|error| invalid(field, "date_parsing", error.to_string()))
}

pub(super) fn invalid(field: &'static str, kind: &'static str, message: impl Into<String>) -> Invalid {
    Invalid::new("query", field, kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Wanted<String>, Vec<Invalid>> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Wanted::of(&pairs, text_of_cursor)
    }

    #[test]
    fn absent_parameters_have_defaults() {
        let all = Wanted { from: FIRST.into(), to: LAST.into(), limit: 20, after: None };
        assert_eq!(read("").as_ref(), Ok(&all));
        assert_eq!(read("other=1").as_ref(), Ok(&all));
        let day = Wanted { from: "2026-01-31".into(), to: "2026-01-31".into(), limit: 100, after: Some("P\0".into()) };
        let query = format!("from=2026-01-31&to=2026-01-31&limit=1&limit=100&cursor={}", cursor_of_text("P\0"));
        assert_eq!(read(&query), Ok(day));
    }

    #[test]
    fn each_wrong_parameter_is_named() {
        let queries = [
            "limit=0",
            "limit=101",
            "limit=ten",
            "from=today",
            "to=2026-02-30",
            "from=2026-01-02&to=2026-01-01",
            "cursor=",
            "cursor=%20",
            "cursor=gICA",
            "limit=&from=&to=&cursor=-",
        ];
        let reasons: Vec<_> = queries.iter().map(|query| read(query).expect_err(query)).collect();
        insta::assert_json_snapshot!(reasons);
    }

    proptest::proptest! {
        #[test]
        fn a_cursor_is_read_back(text in "\\PC{1,60}", other in "\\PC{0,60}") {
            proptest::prop_assert_eq!(text_of_cursor(&cursor_of_text(&text)), Some(text));
            let _ = text_of_cursor(&other);
        }
    }
}
