//! `${port:N}`, `${port:SERVICE:N}`, `${emulator}`, `${emulator:SERVICE}`, `${queue:NAME}`, `${topic:NAME}` and `${database:NAME}` in the process
//! settings of `devenv.toml`; the last three also in the variables of a Compose file.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::addresses::Addresses;
use crate::intent::{Ports, binding_of};
use crate::messaging::{queue_url, topic_arn};

/// The values for the references of a template.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    /// The service that has the template.
    pub service: &'a str,
    pub ports: &'a Ports,
    pub emulator: &'a Addresses,
    /// The region in the ARNs of topics.
    pub region: &'a str,
    /// The URLs of databases, by name.
    pub databases: &'a BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("${{{reference} has no closing brace")]
    Open { reference: String },
    #[error(
        "unknown reference ${{{reference}}}; the references are ${{port:N}}, ${{port:SERVICE:N}}, ${{emulator}}, \
         ${{emulator:dynamodb}}, ${{emulator:sqs}}, ${{emulator:sns}}, ${{queue:NAME}}, ${{topic:NAME}} and ${{database:NAME}}"
    )]
    Unknown { reference: String },
    #[error("${{{reference}}}: there is no such database")]
    NoDatabase { reference: String },
    #[error("${{{reference}}}: service {service} has no such port")]
    NoPort { reference: String, service: String },
}

/// A reference of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    Port {
        service: Option<String>,
        container: u16,
    },
    /// The emulator's URL for one of its services; without one, the URL that serves them all.
    Emulator(Option<String>),
    /// The URL of a queue.
    Queue(String),
    /// The ARN of a topic.
    Topic(String),
    /// The URL of a PostgreSQL database.
    Database(String),
}

/// The AWS services whose addresses a template can name.
const SERVICES: [&str; 3] = ["dynamodb", "sqs", "sns"];

/// Replaces every reference.
pub fn fill(template: &str, lookup: &Lookup<'_>) -> Result<String, TemplateError> {
    replace(template, |reference, text| match reference {
        Reference::Emulator(None) => Ok(lookup.emulator.all().clone()),
        Reference::Emulator(Some(service)) => Ok(lookup.emulator.of(&service).clone()),
        Reference::Queue(name) => Ok(queue_url(&lookup.emulator.messages, &name)),
        Reference::Topic(name) => Ok(topic_arn(lookup.region, &name)),
        Reference::Database(name) => match lookup.databases.get(&name) {
            Some(url) => Ok(url.clone()),
            None => Err(TemplateError::NoDatabase { reference: text.to_owned() }),
        },
        Reference::Port { service, container } => {
            let service = service.as_deref().unwrap_or(lookup.service);
            let binding = lookup.ports.get(service).and_then(|bindings| binding_of(bindings, container));
            binding
                .map(|binding| binding.host.port().to_string())
                .ok_or_else(|| TemplateError::NoPort { reference: text.to_owned(), service: service.to_owned() })
        }
    })
}

/// Replaces the references to queues, topics and databases. Every other `${...}` stays: in a Compose file it belongs to the program.
pub fn fill_names(text: &str, lookup: &Lookup<'_>) -> String {
    let mut result = String::new();
    let mut done = 0;
    for (reference, place) in names(text) {
        result.push_str(&text[done..place.start]);
        match reference {
            Reference::Queue(name) => result.push_str(&queue_url(&lookup.emulator.messages, &name)),
            Reference::Topic(name) => result.push_str(&topic_arn(lookup.region, &name)),
            Reference::Database(name) => {
                result.push_str(lookup.databases.get(&name).map_or(&text[place.clone()], String::as_str));
            }
            Reference::Port { .. } | Reference::Emulator(_) => result.push_str(&text[place.clone()]),
        }
        done = place.end;
    }
    result.push_str(&text[done..]);
    result
}

/// The references to queues, topics and databases in a text, with their byte ranges, in order.
pub fn names(text: &str) -> Vec<Placed<Reference>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|offset| from + offset) {
        let Some(end) = text[start..].find('}').map(|offset| start + offset) else { break };
        match text[start + 2..end].split_once(':').and_then(|(kind, name)| named(kind, name)) {
            Some(reference) => {
                found.push((reference, start..end + 1));
                from = end + 1;
            }
            // Another `${` may begin before the brace.
            None => from = start + 2,
        }
    }
    found
}

fn named(kind: &str, name: &str) -> Option<Reference> {
    match kind {
        "queue" => Some(Reference::Queue(name.to_owned())),
        "topic" => Some(Reference::Topic(name.to_owned())),
        "database" => Some(Reference::Database(name.to_owned())),
        _ => None,
    }
}

/// A reference, or a mistake, and its byte range in the template.
pub type Placed<T> = (T, Range<usize>);

/// Every reference of a template with its byte range, in order; or the first mistake with its byte range.
pub fn references(template: &str) -> Result<Vec<Placed<Reference>>, Placed<TemplateError>> {
    let mut found: Vec<Placed<Reference>> = Vec::new();
    let end = |found: &[Placed<Reference>]| found.last().map_or(0, |(_, place)| place.end);
    let result = replace(template, |reference, text| {
        let from = end(&found);
        // `text` is the part between `${` and `}`.
        let start = from + template[from..].find("${").unwrap_or_default();
        found.push((reference, start..start + text.len() + "${}".len()));
        Ok(String::new())
    });
    match result {
        Ok(_) => Ok(found),
        Err(error) => {
            let from = end(&found);
            let start = from + template[from..].find("${").unwrap_or_default();
            let length = template[start..].find('}').map_or(template.len() - start, |length| length + 1);
            Err((error, start..start + length))
        }
    }
}

fn replace(
    template: &str,
    mut with: impl FnMut(Reference, &str) -> Result<String, TemplateError>,
) -> Result<String, TemplateError> {
    let mut result = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        result.push_str(before);
        let Some((text, remainder)) = after.split_once('}') else {
            return Err(TemplateError::Open { reference: after.to_owned() });
        };
        let unknown = || TemplateError::Unknown { reference: text.to_owned() };
        let port = |number: &str| number.parse::<u16>().map_err(|_| unknown());
        let reference = match text.split(':').collect::<Vec<_>>()[..] {
            ["emulator"] => Reference::Emulator(None),
            ["emulator", service] if SERVICES.contains(&service) => Reference::Emulator(Some(service.to_owned())),
            ["port", number] => Reference::Port { service: None, container: port(number)? },
            ["port", service, number] => {
                Reference::Port { service: Some(service.to_owned()), container: port(number)? }
            }
            [kind, name] => named(kind, name).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        result.push_str(&with(reference, text)?);
        rest = remainder;
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::Binding;

    #[test]
    fn references_have_their_places() {
        let template = "a${emulator}b${port:80}${port:x:1}";
        let found = references(template).expect("they are known");
        let texts: Vec<&str> = found.iter().map(|(_, place)| &template[place.clone()]).collect();
        assert_eq!(texts, ["${emulator}", "${port:80}", "${port:x:1}"]);
        let place = |template| references(template).expect_err("it is not known").1;
        assert_eq!(place("é${emulator}${nothing}c"), 13..23);
        assert_eq!(place("${open"), 0..6);
    }

    #[test]
    fn references_are_filled() {
        let ports = [("api", 8001), ("processor", 8002)]
            .map(|(name, port)| (name.to_owned(), vec![Binding::on_loopback(8000, port)]))
            .into();
        let emulator = Addresses { tables: "http://127.0.0.1:8".to_owned(), messages: "http://127.0.0.1:9".to_owned() };
        let databases = BTreeMap::from([("reports".to_owned(), "postgres://u:p@127.0.0.1:5/r".to_owned())]);
        let region = "eu-west-1";
        let lookup = Lookup { service: "api", ports: &ports, emulator: &emulator, region, databases: &databases };
        let filled = fill("${port:8000} ${port:processor:8000} ${emulator} $HOME", &lookup);
        assert_eq!(filled.as_deref(), Ok("8001 8002 http://127.0.0.1:9 $HOME"));
        let filled = fill("${emulator:dynamodb} ${emulator:sqs}", &lookup);
        assert_eq!(filled.as_deref(), Ok("http://127.0.0.1:8 http://127.0.0.1:9"));
        for bad in [
            "${port:1}",
            "${port:mailer:8000}",
            "${port:x}",
            "${ports:1}",
            "${emulator",
            "${emulator:s3}",
            "${port:1:2:3}",
            "${database:x}",
        ] {
            assert!(fill(bad, &lookup).is_err(), "{bad}");
        }
        let filled = fill("${queue:work.fifo} ${topic:events}", &lookup);
        assert_eq!(
            filled.as_deref(),
            Ok("http://127.0.0.1:9/000000000000/work.fifo arn:aws:sns:eu-west-1:000000000000:events")
        );
        let text = "${HOME} ${A:-${queue:work}} ${port:1} $$ ${database:reports} ${topic:events";
        assert_eq!(
            fill_names(text, &lookup),
            "${HOME} ${A:-http://127.0.0.1:9/000000000000/work} ${port:1} $$ postgres://u:p@127.0.0.1:5/r ${topic:events"
        );
    }
}
