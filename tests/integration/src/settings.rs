use std::env;

use camino::{Utf8Path, Utf8PathBuf};

/// The addresses of the system under test, which `devenv test` passes.
#[derive(Debug, Clone)]
pub struct Settings {
    pub order_api: String,
    pub order_api_metrics: String,
    pub order_processor: String,
    pub order_processor_metrics: String,
    pub dynamodb: String,
    /// The addresses of the reports and their consumer; none without the profile `reporting`.
    pub order_reporting: Option<String>,
    pub reporting_consumer: Option<String>,
    /// The addresses of queues and topics; none for a project without any.
    pub sqs: Option<String>,
    pub sns: Option<String>,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    /// The program that stops, starts and kills units of the environment.
    pub devenv: Option<Utf8PathBuf>,
    pub state_directory: Option<Utf8PathBuf>,
    /// A file for a line per test that begins or ends.
    pub events: Option<Utf8PathBuf>,
    /// A folder for the files of failing tests.
    pub bundle: Option<Utf8PathBuf>,
}

impl Settings {
    /// # Errors
    /// Names the missing or invalid variable, and the remedy.
    pub fn read() -> Result<Self, String> {
        let order_api = required("ORDER_API_URL")?;
        let dynamodb = required("AWS_ENDPOINT_URL_DYNAMODB")?;
        // These tests write into tables and stop databases: they must never find those of an AWS account.
        if !["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|local| dynamodb.starts_with(local))
        {
            return Err(format!(
                "AWS_ENDPOINT_URL_DYNAMODB={dynamodb} is not on this machine, and these tests change data: run `cargo devenv test`"
            ));
        }
        Ok(Self {
            order_api,
            order_api_metrics: required("ORDER_API_9000_URL")?,
            order_processor: required("ORDER_PROCESSOR_URL")?,
            order_processor_metrics: required("ORDER_PROCESSOR_9000_URL")?,
            dynamodb,
            order_reporting: text("ORDER_REPORTING_URL"),
            reporting_consumer: text("REPORTING_CONSUMER_URL"),
            sqs: text("AWS_ENDPOINT_URL_SQS"),
            sns: text("AWS_ENDPOINT_URL_SNS"),
            region: required("AWS_REGION")?,
            access_key: required("AWS_ACCESS_KEY_ID")?,
            secret_key: required("AWS_SECRET_ACCESS_KEY")?,
            devenv: path("DEVENV_BIN"),
            state_directory: path("DEVENV_STATE_DIR"),
            events: path("DEVENV_TEST_EVENTS"),
            bundle: path("DEVENV_TEST_BUNDLE"),
        })
    }

    /// The folder of devenv.toml: that of the environment's state directory, or else this repository.
    pub(crate) fn project(&self) -> Utf8PathBuf {
        let beside = self.state_directory.as_deref().and_then(Utf8Path::parent);
        let beside = beside.filter(|folder| folder.join("devenv.toml").is_file());
        beside.map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../..").into(), Utf8Path::to_owned)
    }
}

fn required(variable: &str) -> Result<String, String> {
    let value = env::var(variable).unwrap_or_default();
    if value.is_empty() {
        return Err(format!(
            "{variable} is not set: these tests need a running order system; run `cargo devenv test`, which starts one for them"
        ));
    }
    Ok(value.trim_end_matches('/').to_owned())
}

fn path(variable: &str) -> Option<Utf8PathBuf> {
    text(variable).map(Utf8PathBuf::from)
}

fn text(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}
