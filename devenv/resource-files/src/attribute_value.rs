//! DynamoDB JSON: `{ "S": "text" }` and the nine other kinds.

use std::collections::BTreeSet;
use std::ops::Range;

use devenv_document::tree::{Entry, Node};

/// A malformed value: the reason and the place.
pub(crate) struct Wrong {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

/// The precision of a DynamoDB number, in digits.
const DIGITS: usize = 38;
/// The range of a DynamoDB number, in powers of ten.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// Returns a value's kind and content; `None` if it is not an object with one known key.
pub(crate) fn kind(node: &Node) -> Option<&Entry> {
    match node.entries() {
        Some([single]) => Some(single).filter(|entry| {
            matches!(entry.key.as_str(), "S" | "N" | "B" | "BOOL" | "NULL" | "M" | "L" | "SS" | "NS" | "BS")
        }),
        _ => None,
    }
}

/// Checks that the emulator and AWS accept the value of the attribute `name`.
pub(crate) fn check(name: &str, node: &Node) -> Result<(), Wrong> {
    let Some(entry) = kind(node) else {
        return Err(wrong(
            node,
            format!("{name} is not in DynamoDB JSON"),
            "write { \"S\": \"text\" } or { \"N\": \"42\" }",
        ));
    };
    let value = &entry.value;
    match entry.key.as_str() {
        "S" if value.string().is_none() => {
            Err(wrong(value, format!("{name} is not a string"), "write { \"S\": \"text\" }"))
        }
        "N" => number(name, value),
        "B" => bytes(name, value),
        "BOOL" if value.boolean().is_none() => {
            Err(wrong(value, format!("{name} is neither true nor false"), "write { \"BOOL\": true }"))
        }
        "NULL" if value.boolean() != Some(true) => {
            Err(wrong(value, format!("{name} is not a null"), "write { \"NULL\": true }"))
        }
        "M" => match value.entries() {
            Some(entries) => entries.iter().try_for_each(|entry| check(&format!("{name}.{}", entry.key), &entry.value)),
            None => {
                Err(wrong(value, format!("{name} is not a map"), "write { \"M\": { \"key\": { \"S\": \"text\" } } }"))
            }
        },
        "L" => match value.items() {
            Some(items) => {
                items.iter().enumerate().try_for_each(|(index, item)| check(&format!("{name}[{index}]"), item))
            }
            None => Err(wrong(value, format!("{name} is not a list"), "write { \"L\": [{ \"S\": \"text\" }] }")),
        },
        "SS" | "NS" | "BS" => set(name, &entry.key, value),
        _ => Ok(()),
    }
}

fn wrong(node: &Node, message: String, help: &'static str) -> Wrong {
    Wrong { span: node.span.clone(), message, help }
}

fn number(name: &str, node: &Node) -> Result<(), Wrong> {
    if node.string().and_then(canonical).is_none() {
        return Err(wrong(node, format!("{name} is not a number in quotes"), "write { \"N\": \"42\" }"));
    }
    Ok(())
}

fn bytes(name: &str, node: &Node) -> Result<(), Wrong> {
    let is_base64 = |text: &str| {
        let digits = text.trim_end_matches('=');
        text.len().is_multiple_of(4)
            && text.len() - digits.len() <= 2
            && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
    };
    if !node.string().is_some_and(is_base64) {
        return Err(wrong(node, format!("{name} is not base64"), "write { \"B\": \"aGVsbG8=\" }"));
    }
    Ok(())
}

fn set(name: &str, kind: &str, node: &Node) -> Result<(), Wrong> {
    let Some(items) = node.items().filter(|items| !items.is_empty()) else {
        return Err(wrong(node, format!("{name} is not a set"), "write a list of one or more values"));
    };
    let mut seen = BTreeSet::new();
    for item in items {
        match kind {
            "NS" => number(name, item)?,
            "BS" => bytes(name, item)?,
            _ if item.string().is_none() => {
                return Err(wrong(item, format!("{name} holds a value that is not a string"), "write it in quotes"));
            }
            _ => {}
        }
        let text = item.text().unwrap_or_default();
        let value = if kind == "NS" { canonical(text) } else { Some(text.to_owned()) };
        if !seen.insert(value) {
            return Err(wrong(item, format!("{name} holds {text} twice"), "remove one: a set has each value once"));
        }
    }
    Ok(())
}

/// Returns a number in its canonical spelling, so that `1`, `1.0` and `10e-1` are one key; `None` if DynamoDB refuses it.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let leading = digits.trim_start_matches('0');
    let significant = leading.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    // The power of ten of the last significant digit, then of the first one.
    let dropped = i64::try_from(leading.len() - significant.len()).ok()?;
    let last = i64::from(exponent) - i64::try_from(fraction.len()).ok()? + dropped;
    let first = last + i64::try_from(significant.len()).ok()? - 1;
    let fits = significant.len() <= DIGITS && EXPONENTS.contains(&first);
    fits.then(|| format!("{}{significant}e{last}", if negative { "-" } else { "" }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use devenv_document::json;
    use devenv_document::source::SourceFile;

    fn checked(text: &str) -> Result<(), String> {
        let file = Arc::new(SourceFile { path: "seed.json".into(), text: text.to_owned() });
        let (node, _) = json::parse(&file, "test").expect("JSON");
        check("it", &node).map_err(|wrong| wrong.message)
    }

    #[test]
    fn every_kind() {
        for good in [
            r#"{"S":""}"#,
            r#"{"N":"-1.5e3"}"#,
            r#"{"B":"aGVsbG8="}"#,
            r#"{"BOOL":false}"#,
            r#"{"NULL":true}"#,
            r#"{"M":{"a":{"L":[{"N":"1"},{"M":{}}]}}}"#,
            r#"{"SS":["a","b"]}"#,
            r#"{"NS":["1","2"]}"#,
            r#"{"BS":["aa=="]}"#,
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn every_refusal() {
        for (bad, part) in [
            (r#""a""#, "not in DynamoDB JSON"),
            (r#"{"s":"a"}"#, "not in DynamoDB JSON"),
            (r#"{"S":"a","N":"1"}"#, "not in DynamoDB JSON"),
            (r#"{"S":1}"#, "not a string"),
            (r#"{"N":1}"#, "not a number"),
            (r#"{"N":"NaN"}"#, "not a number"),
            (r#"{"N":"1e126"}"#, "not a number"),
            (r#"{"N":"123456789012345678901234567890123456789"}"#, "not a number"),
            (r#"{"B":"é"}"#, "base64"),
            (r#"{"BOOL":"true"}"#, "neither true nor false"),
            (r#"{"NULL":false}"#, "not a null"),
            (r#"{"M":{"a":{"L":[{"N":"x"}]}}}"#, "it.a[0] is not a number"),
            (r#"{"M":[]}"#, "not a map"),
            (r#"{"L":{}}"#, "not a list"),
            (r#"{"SS":[]}"#, "not a set"),
            (r#"{"SS":[1]}"#, "not a string"),
            (r#"{"NS":["1","1.0"]}"#, "twice"),
        ] {
            let error = checked(bad).expect_err(bad);
            assert!(error.contains(part), "{bad}: {error}");
        }
    }

    #[test]
    fn one_number_has_one_spelling() {
        for (text, expected) in [
            ("1", Some("1e0")),
            ("+1.00", Some("1e0")),
            ("10e-1", Some("1e0")),
            ("-0120", Some("-12e1")),
            ("0.0", Some("0")),
            ("-0", Some("0")),
            (".5", Some("5e-1")),
            ("1e99999999999", None),
            ("", None),
            (".", None),
            ("1.2.3", None),
        ] {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }
}
