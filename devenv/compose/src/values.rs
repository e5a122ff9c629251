//! The syntax of single values: numbers, sizes, durations, command lines. Each is read in every form that Compose accepts and
//! written in the form that `docker compose config` prints.

use std::fmt::Write;

/// Returns an unquoted scalar as the text that Compose takes it for: `TRUE` is `true`, `1.50` is `1.5`, `0x1F` is `31`.
pub(crate) fn as_text(plain: &str) -> String {
    match plain {
        "true" | "True" | "TRUE" => "true".to_owned(),
        "false" | "False" | "FALSE" => "false".to_owned(),
        _ => match integer(plain) {
            Some(number) => number.to_string(),
            None => float(plain).map_or_else(|| plain.to_owned(), float_text),
        },
    }
}

/// Parses a whole number as YAML does, in base 2, 8, 10 or 16.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let text = text.replace('_', "");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let based = |prefixes: [&str; 2], base| {
        let digits = prefixes.iter().find_map(|prefix| digits.strip_prefix(prefix))?;
        Some((digits, base))
    };
    let (digits, base) = based(["0x", "0X"], 16)
        .or_else(|| based(["0o", "0O"], 8))
        .or_else(|| based(["0b", "0B"], 2))
        .or_else(|| digits.strip_prefix('0').filter(|rest| !rest.is_empty()).map(|rest| (rest, 8)))
        .unwrap_or((digits, 10));
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok().filter(|number| *number <= i128::from(u64::MAX))?;
    Some(if negative { -number } else { number })
}

/// Parses a decimal number with a point or an exponent.
pub(crate) fn float(text: &str) -> Option<f64> {
    let digits = text.replace('_', "");
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
    let numeric = unsigned.chars().all(|character| character.is_ascii_digit() || "+-.eE".contains(character));
    let begins = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    (numeric && begins).then(|| digits.parse::<f64>().ok()).flatten().filter(|number| number.is_finite())
}

/// Writes a number in the shortest form, with an exponent below 1e-4 and from 1e21 on.
pub(crate) fn float_text(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 || (1e-4..1e21).contains(&magnitude) {
        return number.to_string();
    }
    let written = format!("{number:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// Parses `true` and `false`, and the words of older YAML.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "on" => Some(true),
        "false" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// Parses a size into bytes: `128m`, `1.5gb`, `1024`; units are powers of 1024. `-1` stays.
pub(crate) fn size(text: &str) -> Result<i64, String> {
    const UNITS: [&str; 6] = ["", "k", "m", "g", "t", "p"];
    let wrong = || format!("{text} is not a size such as 128m or 1gb");
    let end = text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len());
    let unit = text[end..].to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let unit = unit.strip_suffix('i').unwrap_or(unit);
    let power = UNITS.iter().position(|known| *known == unit).ok_or_else(wrong)?;
    let number = text[..end].trim_end();
    let scale = 1_i64 << (10 * power);
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(scale).ok_or_else(wrong);
    }
    let number = float(number).ok_or_else(wrong)?;
    #[expect(clippy::cast_precision_loss, reason = "a fraction of a unit has no exact number of bytes")]
    let bytes = number * scale as f64;
    #[expect(clippy::cast_possible_truncation, reason = "bounded, and a fraction of a byte is dropped")]
    let whole = bytes as i64;
    if bytes.abs() < 9e18 { Ok(whole) } else { Err(wrong()) }
}

/// Parses a duration such as `1h30m` or `2m30.5s`, and writes it as `1h30m0s` or `2m30.5s`.
pub(crate) fn duration(text: &str) -> Result<String, String> {
    const UNITS: [(&str, u128); 9] = [
        ("ms", 1_000_000),
        ("us", 1_000),
        ("µs", 1_000),
        ("ns", 1),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("d", 86_400_000_000_000),
        ("w", 604_800_000_000_000),
    ];
    let wrong = || format!("{text} is not a duration such as 1m30s or 500ms");
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return Err(wrong());
    }
    if rest == "0" {
        return Ok("0s".to_owned());
    }
    let mut nanoseconds: u128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.').ok_or_else(wrong)?;
        let (number, unit) = rest.split_at(end);
        let (name, scale) = UNITS.iter().find(|(name, _)| unit.starts_with(name)).ok_or_else(wrong)?;
        nanoseconds = scaled(number, *scale).and_then(|part| nanoseconds.checked_add(part)).ok_or_else(wrong)?;
        rest = &unit[name.len()..];
    }
    u64::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1 << 63).map(duration_text).ok_or_else(wrong)
}

/// Multiplies a decimal number such as `1.5` by a whole number.
fn scaled(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || number.len() > 30 {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u128>().ok()?.checked_mul(scale)? };
    let fraction = &fraction[..fraction.len().min(9)];
    let digits = u32::try_from(fraction.len()).ok()?;
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? * scale / 10_u128.pow(digits) };
    whole.checked_add(part)
}

fn duration_text(nanoseconds: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let decimal = |count: u64, unit: u64, name: &str| {
        let mut text = (count / unit).to_string();
        let fraction = format!("{:0width$}", count % unit, width = unit.ilog10() as usize);
        let fraction = fraction.trim_end_matches('0');
        if !count.is_multiple_of(unit) {
            let _ = write!(text, ".{fraction}");
        }
        text + name
    };
    match nanoseconds {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => decimal(nanoseconds, 1_000, "µs"),
        1_000_000..SECOND => decimal(nanoseconds, 1_000_000, "ms"),
        _ => {
            let (hours, minutes) = (nanoseconds / (3_600 * SECOND), nanoseconds / (60 * SECOND) % 60);
            let seconds = decimal(nanoseconds % (60 * SECOND), SECOND, "s");
            match (hours, minutes) {
                (0, 0) => seconds,
                (0, _) => format!("{minutes}m{seconds}"),
                _ => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

/// Replaces `#` while words are split: to a shell it may begin a comment, to Compose it is an ordinary character.
const HASH: char = '\u{f0023}';

/// Splits a command line into words at blanks; quotes and backslashes keep a word together. Expands nothing.
pub(crate) fn words(text: &str) -> Result<Vec<String>, String> {
    let words = shlex::split(&text.replace('#', &HASH.to_string())).ok_or("unclosed quote or trailing backslash")?;
    Ok(words.into_iter().map(|word| word.replace(HASH, "#")).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_scalars_as_text() {
        for (plain, text) in [
            ("TRUE", "true"),
            ("yes", "yes"),
            ("0x1F", "31"),
            ("017", "15"),
            ("089", "89"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("1e30", "1e+30"),
            ("0.00000012", "1.2e-07"),
            ("12345678901234567890", "12345678901234567890"),
            ("1.2.3", "1.2.3"),
            ("12:30", "12:30"),
            ("e3", "e3"),
            ("-", "-"),
        ] {
            assert_eq!(as_text(plain), text, "{plain}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("0", "0s"),
            ("0s", "0s"),
            ("1.5s", "1.5s"),
            ("2m30.5s", "2m30.5s"),
            ("500ms", "500ms"),
            ("1500us", "1.5ms"),
            ("1d", "24h0m0s"),
        ] {
            assert_eq!(duration(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in ["", "10", "s", "5 s", "1.2.3s", "999999999999h", "-1s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in
            [("128m", 128 << 20), ("1GB", 1 << 30), ("42", 42), ("-1", -1), ("1.5k", 1536), ("2 MiB", 2 << 20)]
        {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for bad in ["", "m", "1x", "99999999999g", "1e300", "nan", "inf"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn command_lines() {
        let of = |text| words(text).expect(text);
        assert_eq!(of(r#"sh -c 'echo "a b"' '' a\ b #1"#), ["sh", "-c", "echo \"a b\"", "", "a b", "#1"]);
        assert!(words("'a").is_err());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9a-z:.,/\\-+_eE é'\"\\\\ ]{0,24}") {
            let _ = (as_text(&text), boolean(&text), size(&text), duration(&text), words(&text));
        }
    }
}
