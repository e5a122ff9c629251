use order_service::{
    config::{ConfigError, Environment},
    topic::TopicAddress,
};

const TOPIC: &str = "STOCK_EVENTS_TOPIC_ARN";
/// The threshold of products without their own, unless the environment sets it.
const DEFAULT_THRESHOLD: u64 = 10;

/// The settings of this function beyond the common ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub topic: TopicAddress,
    /// For products that have no threshold of their own.
    pub threshold: u64,
}

impl Config {
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        // The runtime's client panics without it.
        const RUNTIME: &str = "AWS_LAMBDA_RUNTIME_API";
        const REQUIRED: [&str; 4] =
            [RUNTIME, "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"];
        for variable in REQUIRED {
            let expected =
                "the variables of a Lambda function: AWS Lambda, or a host of functions, starts this program";
            environment.text(variable)?.ok_or(ConfigError::Missing { variable, expected })?;
        }
        let expected = "the ARN of a standard topic such as arn:aws:sns:eu-west-1:123456789012:stock-events";
        let topic =
            TopicAddress::read(environment, TOPIC)?.ok_or(ConfigError::Missing { variable: TOPIC, expected })?;
        let threshold = environment
            .parsed("LOW_STOCK_THRESHOLD", "a whole number of pieces such as 10", |text| text.parse().ok())?;
        Ok(Self { topic, threshold: threshold.unwrap_or(DEFAULT_THRESHOLD) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<u64, String> {
        let lambda = [
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
            ("AWS_LAMBDA_FUNCTION_NAME", "low-stock"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ];
        let environment = Environment::of_pairs(&[pairs, &lambda].concat());
        Config::read(&environment).map(|config| config.threshold).map_err(|error| error.to_string())
    }

    #[test]
    fn a_bad_environment_names_its_variable() {
        let topic = (TOPIC, "arn:aws:sns:eu-west-1:000000000000:stock-events");
        assert_eq!(read(&[topic]), Ok(10));
        assert_eq!(read(&[topic, ("LOW_STOCK_THRESHOLD", "0")]), Ok(0));
        let outside = Config::read(&Environment::of_pairs(&[topic])).expect_err("no function").to_string();
        let bad = [read(&[]), read(&[(TOPIC, "stock-events")]), read(&[topic, ("LOW_STOCK_THRESHOLD", "-1")])];
        let bad: Vec<String> = bad.into_iter().map(|read| read.expect_err("bad")).chain([outside]).collect();
        insta::assert_snapshot!(bad.join("\n"));
    }
}
