use std::fmt;

use crate::config::{ConfigError, Environment, endpoint};

/// The ARN of a topic: `arn:PARTITION:sns:REGION:ACCOUNT:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn {
    text: String,
    region: String,
    /// The end of host names in the ARN's partition.
    domain: &'static str,
}

/// A topic and the place of its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicAddress {
    pub arn: TopicArn,
    /// The URL of SNS.
    pub endpoint: String,
}

impl TopicArn {
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts[..] else { return None };
        let domain = match partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let fits = (1..=32).contains(&region.len())
            && region.bytes().all(lower)
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            // A topic with the suffix `.fifo` would need a group with each message.
            && (1..=256).contains(&name.len())
            && name.bytes().all(in_name);
        fits.then(|| Self { text: text.to_owned(), region: region.to_owned(), domain })
    }

    pub fn region(&self) -> &str {
        &self.region
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl TopicAddress {
    /// Reads the ARN in `variable`, and the variables of the AWS SDK for an endpoint of SNS. Returns `None` without an ARN.
    pub fn read(environment: &Environment, variable: &'static str) -> Result<Option<Self>, ConfigError> {
        const EXPECTED: &str = "the ARN of a standard topic such as arn:aws:sns:eu-west-1:123456789012:order-events";
        let arn = environment.parsed(variable, EXPECTED, TopicArn::parse)?;
        let own = endpoint(environment, "AWS_ENDPOINT_URL_SNS")?;
        let common = endpoint(environment, "AWS_ENDPOINT_URL")?;
        Ok(arn.map(|arn| {
            let endpoint = own.or(common).unwrap_or_else(|| format!("https://sns.{}.{}", arn.region, arn.domain));
            Self { arn, endpoint }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:eu-west-1:123456789012:order-events";

    fn read(pairs: &[(&str, &str)]) -> Result<Option<String>, String> {
        TopicAddress::read(&Environment::of_pairs(pairs), "TOPIC")
            .map(|address| address.map(|address| address.endpoint))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_endpoint_is_the_sdk_s_choice() {
        let (topic, own, common) = (
            ("TOPIC", ARN),
            ("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:2"),
        );
        let china = ("TOPIC", "arn:aws-cn:sns:cn-north-1:123456789012:order-events");
        assert_eq!(read(&[own]), Ok(None));
        assert_eq!(read(&[topic]), Ok(Some("https://sns.eu-west-1.amazonaws.com".into())));
        assert_eq!(read(&[china]), Ok(Some("https://sns.cn-north-1.amazonaws.com.cn".into())));
        assert_eq!(read(&[topic, common]), Ok(Some(common.1.into())));
        assert_eq!(read(&[topic, common, own]), Ok(Some(own.1.into())));
        assert!(read(&[topic, ("AWS_ENDPOINT_URL_SNS", "127.0.0.1:1")]).is_err());
    }

    #[test]
    fn only_the_arn_of_a_standard_topic_is_taken() {
        for bad in [
            "order-events",
            "arn:aws:sqs:eu-west-1:123456789012:order-events",
            "arn:aws:sns:eu-west-1:12345:order-events",
            "arn:aws:sns:eu-west-1:123456789012:order-events.fifo",
            "arn:aws:sns:eu-west-1:123456789012:order-events:subscription",
            "arn:aws:sns:EU/../:123456789012:order-events",
            "arn:aws:sns:::order-events",
            "arn:aws:sns:eu-west-1:123456789012:",
        ] {
            assert_eq!(TopicArn::parse(bad), None, "{bad}");
            assert!(read(&[("TOPIC", bad)]).is_err_and(|message| message.starts_with("TOPIC=")));
        }
    }
}
