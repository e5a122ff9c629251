//! Leads the variables of a service to the load balancers of a rehearsal, where they name another service's container.

use std::collections::BTreeMap;

/// A name on the network of the Compose file, and its URL in a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// The only port that the URL stands for; `None` for every port.
    pub(crate) port: Option<u16>,
    /// Without a slash at its end.
    pub(crate) url: String,
}

/// An address that a rehearsal does not have, such as `db:5432`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreachable {
    pub(crate) address: String,
    pub(crate) host: String,
}

const HTTP: &str = "http://";
/// The port of a URL that names none.
const HTTP_PORT: u16 = 80;

/// Replaces `http://HOST:PORT` of each known host by its URL. A host's name by itself is any word; as a part of another address it is
/// an error.
pub(crate) fn led(value: &str, hosts: &BTreeMap<String, Host>) -> Result<String, Unreachable> {
    let mut led = String::new();
    let mut rest = value;
    while let Some(begin) = rest.find(is_of_name) {
        led.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = rest.find(|character| !is_of_name(character)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (port, beyond) = port(after);
        let Some(host) = hosts.get(name) else {
            led.push_str(name);
            rest = after;
            continue;
        };
        let wanted = port.unwrap_or(HTTP_PORT);
        if led.ends_with(HTTP) && host.port.is_none_or(|its| its == wanted) {
            led.truncate(led.len() - HTTP.len());
            led.push_str(&host.url);
            rest = beyond;
        } else if led.ends_with("://") || led.ends_with('@') || port.is_some() {
            let address = port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
            return Err(Unreachable { address, host: name.to_owned() });
        } else {
            led.push_str(name);
            rest = after;
        }
    }
    led.push_str(rest);
    Ok(led)
}

/// The last words of a variable whose value is a host.
const HOST_WORDS: [&str; 10] =
    ["ADDR", "ADDRESS", "ADDRESSES", "BROKER", "BROKERS", "ENDPOINT", "HOSTNAME", "NODES", "SERVER", "SERVERS"];

/// The first known host that the value of such a variable names by itself, as `DB_HOST=db` does: no text around it shows that it is an
/// address. A service may name itself.
pub(crate) fn bare<'v>(
    service: &str,
    variable: &str,
    value: &'v str,
    hosts: &BTreeMap<String, Host>,
) -> Option<&'v str> {
    let last = variable.rsplit('_').next().unwrap_or_default().to_ascii_uppercase();
    if !last.ends_with("HOST") && !last.ends_with("HOSTS") && !HOST_WORDS.contains(&last.as_str()) {
        return None;
    }
    let mut names = value.split([',', ';', ' ']);
    names.find(|name| *name != service && hosts.contains_key(*name))
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// The port after a host's name, and the text after it.
fn port(after: &str) -> (Option<u16>, &str) {
    let Some(text) = after.strip_prefix(':') else { return (None, after) };
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    match text[..end].parse() {
        Ok(port) => (Some(port), &text[end..]),
        Err(_) => (None, after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> BTreeMap<String, Host> {
        let host = |name: &str, port, url: &str| (name.to_owned(), Host { port, url: url.to_owned() });
        [
            host("visits", Some(8000), "http://aws:4566/_alb/shop-visits"),
            host("web", Some(80), "http://aws:4566/_alb/shop-web"),
            host("emulator", None, "http://aws:4566"),
        ]
        .into()
    }

    #[test]
    fn a_url_of_another_service_leads_to_its_load_balancer() {
        for (value, expected) in [
            ("http://visits:8000", "http://aws:4566/_alb/shop-visits"),
            ("http://visits:8000/health?a=b", "http://aws:4566/_alb/shop-visits/health?a=b"),
            ("http://web", "http://aws:4566/_alb/shop-web"),
            ("http://web/,http://visits:8000", "http://aws:4566/_alb/shop-web/,http://aws:4566/_alb/shop-visits"),
            ("http://emulator:8000", "http://aws:4566"),
            ("http://emulator", "http://aws:4566"),
        ] {
            assert_eq!(led(value, &hosts()).as_deref(), Ok(expected), "{value}");
        }
    }

    #[test]
    fn a_word_that_is_no_address_stays() {
        for value in
            ["", "visits", "the visits: many", "visits.example.com:8000", "http://my-visits:8000", "visits-table", "ä"]
        {
            assert_eq!(led(value, &hosts()).as_deref(), Ok(value));
        }
    }

    #[test]
    fn a_name_by_itself_is_an_address_where_the_variable_is_a_host() {
        let of = |variable, value| bare("web", variable, value, &hosts());
        for (variable, value) in [
            ("VISITS_HOST", "visits"),
            ("PGHOST", "visits"),
            ("cache_server", "visits"),
            ("KAFKA_BROKERS", "a, visits"),
        ] {
            assert_eq!(of(variable, value), Some("visits"), "{variable}={value}");
        }
        for (variable, value) in [
            ("TABLES", "visits"),
            ("DB_NAME", "visits"),
            ("HOST", "0.0.0.0"),
            ("VIRTUAL_HOST", "web"),
            ("HOST", "visits.example.com"),
        ] {
            assert_eq!(of(variable, value), None, "{variable}={value}");
        }
    }

    #[test]
    fn an_address_without_a_load_balancer_is_named() {
        for (value, address) in [
            ("http://visits:9000", "visits:9000"),
            ("http://visits", "visits"),
            ("https://visits:8000", "visits:8000"),
            ("postgres://me:secret@visits/db", "visits"),
            ("visits:8000", "visits:8000"),
            ("redis://web:6379/0", "web:6379"),
        ] {
            let unreachable = led(value, &hosts()).expect_err(value);
            assert_eq!(unreachable.address, address, "{value}");
            assert!(!format!("{unreachable:?}").contains("secret"));
        }
    }
}
