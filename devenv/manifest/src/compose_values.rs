//! Parsers of Compose values: durations, sizes, ports.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use devenv_model::manifest::Port;

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

/// Parses `[HOST_IP:][PUBLISHED[-LAST]:]CONTAINER[/tcp]`.
pub(crate) fn port(text: &str) -> Result<Port, String> {
    let wrong = |why: &str| format!("{text} is not a port: {why}");
    let (address, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let number = |part: &str| port_number(part).map_err(wrong);
    let (rest, container) = match address.rsplit_once(':') {
        Some((rest, container)) => (Some(rest), container),
        None => (None, address),
    };
    let (host, published) =
        match rest.map(|rest| rest.rsplit_once(':').map_or((None, rest), |(host, port)| (Some(host), port))) {
            None => (None, None),
            Some((host, "")) => (host, None),
            Some((host, published)) => (host, Some(published)),
        };
    let host_ip = match host.map(|host| host.trim_matches(['[', ']'])) {
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(host) => host.parse().map_err(|_| wrong("its host is not an IP address"))?,
    };
    let (published, published_to) = match published.map(|range| range.split_once('-').unwrap_or((range, range))) {
        None => (None, None),
        Some((first, last)) => (Some(number(first)?), Some(number(last)?)),
    };
    if published > published_to {
        return Err(wrong("its range ends before it begins"));
    }
    if protocol != "tcp" {
        return Err(wrong("only tcp is supported"));
    }
    Ok(Port { container: number(container)?, published, published_to, host_ip })
}

/// Parses `CONTAINER[/tcp]`.
pub(crate) fn container_port(text: &str) -> Result<u16, String> {
    let number = text.strip_suffix("/tcp").unwrap_or(text);
    port_number(number).map_err(|why| format!("{text} is not a container port: {why}"))
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    if text.contains('-') {
        return Err("ranges are not supported, write one line for each port");
    }
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
    fn ports() {
        let of = |text| port(text).map(|port| (port.host_ip.to_string(), port.published, port.container));
        assert_eq!(of("8000"), Ok(("127.0.0.1".to_owned(), None, 8000)));
        assert_eq!(of("8001:8000/tcp"), Ok(("127.0.0.1".to_owned(), Some(8001), 8000)));
        assert_eq!(of("0.0.0.0:8001:8000"), Ok(("0.0.0.0".to_owned(), Some(8001), 8000)));
        assert_eq!(of("8001-8003:8000"), Ok(("127.0.0.1".to_owned(), Some(8001), 8000)));
        assert_eq!(port("8001-8003:8000").map(|port| port.published_to), Ok(Some(8003)));
        assert_eq!(of("[::1]::8000"), Ok(("::1".to_owned(), None, 8000)));
        for bad in
            ["", "0", "70000", "8000-8010", "53/udp", "host:1:2", "a:b", "+80", "8001:", "8003-8001:80", "8001-:80"]
        {
            assert!(port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn container_ports() {
        assert_eq!(container_port("9000/tcp"), Ok(9000));
        for bad in ["", "0", "+80", "80-90", "53/udp", "1:2"] {
            assert!(container_port(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9a-z:./\\-\\[\\]é'\"\\\\ ]{0,20}") {
            let _ = (duration(&text), bytes(&text), port(&text), container_port(&text));
        }
    }
}
