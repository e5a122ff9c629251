//! Finds emulators of AWS among the services, and the services that talk to AWS.

use std::collections::BTreeMap;

use devenv_document::tree::{Entry, Node};
use devenv_model::manifest::EmulatorKind;

use crate::found::FoundEmulator;

/// The service of LocalStack that devenv's own emulator has too.
const EMULATED: [&str; 3] = ["dynamodb", "sqs", "sns"];

pub(crate) fn emulators(services: &[Entry]) -> Vec<FoundEmulator> {
    services.iter().filter_map(emulator).collect()
}

fn emulator(service: &Entry) -> Option<FoundEmulator> {
    let image = service.value.get("image")?.text()?;
    let (kind, kept_because) = match repository(image) {
        "amazon/dynamodb-local" => (EmulatorKind::DynamodbLocal, None),
        "localstack/localstack" | "localstack/localstack-pro" => (EmulatorKind::Localstack, other_services(service)),
        _ => return None,
    };
    Some(FoundEmulator { service: service.key.clone(), image: image.to_owned(), kind, kept_because })
}

/// The image's name without registry, tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    let image = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    match image.split_once('/') {
        Some((registry, rest)) if registry.contains(['.', ':']) && rest.contains('/') => rest,
        _ => image,
    }
}

fn other_services(localstack: &Entry) -> Option<String> {
    let environment = localstack.value.get("environment");
    let listed = environment.and_then(|environment| environment.get("SERVICES")).and_then(Node::text);
    let others: Vec<&str> = listed
        .map(|list| {
            list.split(',').map(str::trim).filter(|name| !name.is_empty() && !EMULATED.contains(name)).collect()
        })
        .unwrap_or_default();
    match listed {
        Some(list) if !list.trim().is_empty() && others.is_empty() => None,
        Some(list) if !list.trim().is_empty() => {
            Some(format!("devenv's own emulator has DynamoDB, SQS and SNS, not {}", others.join(", ")))
        }
        _ => Some(
            "devenv's own emulator has DynamoDB, SQS and SNS only, and SERVICES does not limit LocalStack to them"
                .to_owned(),
        ),
    }
}

/// The services with a variable of AWS's SDKs or of an endpoint, each with the first such variable.
pub(crate) fn callers(services: &[Entry], emulators: &[FoundEmulator]) -> BTreeMap<String, String> {
    let is_emulator = |service: &Entry| emulators.iter().any(|emulator| emulator.service == service.key);
    let others = services.iter().filter(|service| !is_emulator(service));
    others
        .filter_map(|service| {
            let variables = service.value.get("environment")?.entries()?;
            let shown = variables.iter().find(|variable| shows_aws(variable, emulators))?;
            Some((service.key.clone(), shown.key.clone()))
        })
        .collect()
}

fn shows_aws(variable: &Entry, emulators: &[FoundEmulator]) -> bool {
    if variable.key.starts_with("AWS_") {
        return true;
    }
    let value = variable.value.text().unwrap_or_default();
    let names_emulator = emulators.iter().any(|emulator| value.contains(&format!("//{}", emulator.service)));
    let service = ["DYNAMO", "SQS", "SNS", "S3_", "KINESIS", "LOCALSTACK", "AWS"];
    let names_service = service.iter().any(|service| variable.key.contains(service));
    names_emulator || (variable.key.contains("ENDPOINT") && names_service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::tests::services;

    #[test]
    fn an_emulator_is_known_by_its_image_wherever_the_image_comes_from() {
        for (image, expected) in [
            ("amazon/dynamodb-local", "amazon/dynamodb-local"),
            ("amazon/dynamodb-local:2.6.1", "amazon/dynamodb-local"),
            ("docker.io/amazon/dynamodb-local:latest@sha256:0", "amazon/dynamodb-local"),
            ("127.0.0.1:5000/localstack/localstack", "localstack/localstack"),
            ("redis:7", "redis"),
        ] {
            assert_eq!(repository(image), expected, "{image}");
        }
    }

    #[test]
    fn localstack_is_replaced_where_it_has_dynamodb_alone() {
        let localstack = |environment: &str| {
            let text = format!("services:\n  aws:\n    image: localstack/localstack:4\n{environment}");
            emulators(&services(&text)).remove(0).kept_because
        };
        assert_eq!(localstack("    environment: { SERVICES: dynamodb }\n"), None);
        assert_eq!(localstack("    environment: { SERVICES: \"sqs, sns\" }\n"), None);
        let more = localstack("    environment: [\"SERVICES=dynamodb,s3, lambda\"]\n").expect("it stays");
        assert!(more.ends_with("not s3, lambda"), "{more}");
        assert!(localstack("").is_some());
    }

    #[test]
    fn a_service_that_talks_to_aws_is_known_by_its_variables() {
        let services = services(
            "services:\n  dynamo: { image: amazon/dynamodb-local }\n  \
             one: { image: a, environment: { LEVEL: info, AWS_REGION: eu-west-1 } }\n  \
             two: { image: a, environment: [\"DATABASE=http://dynamo:8000\"] }\n  \
             three: { image: a, environment: { DYNAMODB_ENDPOINT: \"\" } }\n  \
             four: { image: a, environment: { OTEL_EXPORTER_OTLP_ENDPOINT: \"http://otel:4317\" } }\n  five: { image: a }\n",
        );
        let emulators = emulators(&services);
        assert_eq!(emulators[0].service, "dynamo");
        let callers = callers(&services, &emulators);
        let callers: Vec<(&str, &str)> = callers.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
        assert_eq!(callers, [("one", "AWS_REGION"), ("three", "DYNAMODB_ENDPOINT"), ("two", "DATABASE")]);
    }
}
