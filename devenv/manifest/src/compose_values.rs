//! Parsers of Compose values: durations, sizes, ports.

use std::time::Duration;

use devenv_model::transport::Protocol;

/// Parses a duration: `1h30m`, `10s`, `500ms`, `2m30.5s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 6] = [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
    let wrong = || format!("{text} is not a duration such as 1m30s or 500ms");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let (unit, scale) = UNITS.iter().find(|(unit, _)| rest[digits..].starts_with(unit)).ok_or_else(wrong)?;
        seconds += number * scale;
        rest = &rest[digits + unit.len()..];
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// Parses a size into bytes: `128m`, `1gb`, `1024`; units are powers of 1024.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is not a size such as 128m or 1gb");
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let scale: u64 = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(scale).ok_or_else(wrong)
}

/// Parses a number of processors into billionths: `1.5`.
pub(crate) fn processors(text: &str) -> Result<i64, String> {
    const MOST: f64 = 100_000.0;
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=MOST).contains(number));
    #[expect(clippy::cast_possible_truncation, reason = "it is at most a hundred thousand billions")]
    number.map(|number| (number * 1e9).round() as i64).ok_or_else(|| format!("{text} is not a number of processors"))
}

/// Parses `PORT` or `FIRST-LAST`.
pub(crate) fn ports(text: &str) -> Result<(u16, u16), String> {
    let wrong = |why: &str| format!("{text} is not a port: {why}");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port_number(first).map_err(wrong)?, port_number(last).map_err(wrong)?);
    if first > last { Err(wrong("a range begins with its smaller port")) } else { Ok((first, last)) }
}

/// Parses the protocol of a port.
pub(crate) fn protocol(text: &str) -> Result<Protocol, String> {
    match text {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        other => Err(format!("devenv does not support ports of the protocol {other}, only tcp and udp")),
    }
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|port| *port > 0).ok_or("a port is a number from 1 to 65535")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("1h0.5s"), Ok(Duration::from_millis(3_600_500)));
        for bad in ["", "10", "s", "5 s", "1d", "9e99s", "1.2.3s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("128m"), Ok(128 << 20));
        assert_eq!(bytes("1GB"), Ok(1 << 30));
        assert_eq!(bytes("42"), Ok(42));
        for bad in ["", "m", "1.5g", "1tb", "99999999999g"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports_and_ranges() {
        assert_eq!(ports("8000"), Ok((8000, 8000)));
        assert_eq!(ports("8000-8010"), Ok((8000, 8010)));
        for bad in ["", "0", "70000", "8010-8000", "a", "+80", "80-", "80-90-100"] {
            assert!(ports(bad).is_err(), "{bad}");
        }
        assert_eq!(protocol("udp"), Ok(Protocol::Udp));
        assert!(protocol("sctp").is_err());
    }

    #[test]
    fn numbers_of_processors() {
        assert_eq!(processors("0.5"), Ok(500_000_000));
        assert_eq!(processors("2"), Ok(2_000_000_000));
        for bad in ["", "-1", "NaN", "inf", "1e99"] {
            assert!(processors(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9a-z:./\\-\\[\\]é'\"\\\\ ]{0,20}") {
            let _ = (duration(&text), bytes(&text), ports(&text), protocol(&text), processors(&text));
        }
    }
}
