//! Names and ARNs. A name is an identity: the region of an ARN is not compared.

use super::errors::{invalid, unsupported};
use crate::front::error::ApiError;
pub(super) use crate::queues::name::ACCOUNT;
use crate::queues::name::of_arn;

pub(super) const FIFO: &str = ".fifo";
const LONGEST_NAME: usize = 256;

pub(super) fn topic_arn(region: &str, name: &str) -> String {
    format!("arn:aws:sns:{region}:{ACCOUNT}:{name}")
}

/// Checks a new topic's name, which has the suffix `.fifo` if it is one.
pub(super) fn check_name(name: &str, is_fifo: bool) -> Result<(), ApiError> {
    let base = name.strip_suffix(FIFO).filter(|_| is_fifo).unwrap_or(name);
    let plain = base.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if base.is_empty() || !plain || name.len() > LONGEST_NAME {
        return Err(invalid("Topic Name"));
    }
    if is_fifo && !name.ends_with(FIFO) {
        return Err(invalid("Fifo Topic names must end with .fifo"));
    }
    Ok(())
}

/// The name in a topic's ARN.
pub(super) fn topic_name<'a>(arn: &'a str, parameter: &str) -> Result<&'a str, ApiError> {
    resource(arn, "sns", parameter).and_then(|name| {
        if name.contains(':') {
            Err(invalid(format!("{parameter} Reason: it is the ARN of a subscription")))
        } else {
            Ok(name)
        }
    })
}

/// The name in a queue's ARN.
pub(super) fn queue_name<'a>(arn: &'a str, parameter: &str) -> Result<&'a str, ApiError> {
    let name = resource(arn, "sqs", parameter)?;
    if of_arn(arn).is_none() {
        return Err(unsupported(parameter, arn, &format!("name a queue of the account {ACCOUNT}")));
    }
    Ok(name)
}

/// Checks that a text may be the ARN of a subscription, `TOPIC-ARN:ID`.
pub(super) fn check_subscription_arn(arn: &str) -> Result<(), ApiError> {
    match resource(arn, "sns", "SubscriptionArn")?.split_once(':') {
        Some((topic, id)) if !topic.is_empty() && !id.is_empty() => Ok(()),
        _ => Err(invalid("SubscriptionArn Reason: it is not the ARN of a subscription")),
    }
}

/// The part after the fifth colon of `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
fn resource<'a>(arn: &'a str, service: &str, parameter: &str) -> Result<&'a str, ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, named, _, _, resource] if *named == service && !resource.is_empty() => Ok(*resource),
        [_, _, _, _, _, _] => {
            Err(invalid(format!("{parameter} Reason: {arn} is not the ARN of a resource of {service}")))
        }
        parts => Err(invalid(format!("{parameter} Reason: An ARN must have at least 6 elements, not {}", parts.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_arn() {
        assert_eq!(topic_name(&topic_arn("eu-west-1", "orders"), "TopicArn"), Ok("orders"));
        assert_eq!(queue_name("arn:aws:sqs:us-east-1:000000000000:reporting", "Endpoint"), Ok("reporting"));
        queue_name("arn:aws:sqs:us-east-1:111111111111:reporting", "Endpoint").expect_err("another account");
        for wrong in
            ["orders", "arn:aws:sns:eu-west-1:1", "arn:aws:sqs:r:a:orders", "arn:aws:sns:r:a:", "arn:aws:sns:r:a:b:c"]
        {
            let error = topic_name(wrong, "TopicArn").expect_err(wrong);
            assert!(error.message.starts_with("Invalid parameter: TopicArn"), "{}", error.message);
        }
        check_subscription_arn("arn:aws:sns:r:a:orders:id").expect("complete");
        check_subscription_arn("arn:aws:sns:r:a:orders").expect_err("no id");
    }

    #[test]
    fn the_suffix_belongs_to_fifo_topics() {
        check_name("orders.fifo", true).expect("both");
        check_name("orders", false).expect("neither");
        check_name(&"a".repeat(256), false).expect("the longest");
        for (name, is_fifo) in [("orders.fifo", false), ("orders", true), ("", false), (".fifo", true), ("a b", false)]
        {
            check_name(name, is_fifo).expect_err(name);
        }
        check_name(&"a".repeat(257), false).expect_err("too long");
    }
}
