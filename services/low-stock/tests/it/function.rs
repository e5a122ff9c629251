use std::process::{Child, Command, Stdio};
use std::time::Duration;

use order_testing::Topics;
use serde_json::Value;

use crate::runtime_api::RuntimeApi;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The function as a process. Dropping it kills the process.
pub(crate) struct Function {
    child: Child,
    api: RuntimeApi,
}

impl Function {
    pub(crate) async fn start(topics: &Topics) -> Self {
        let api = RuntimeApi::start().await;
        let address = topics.address();
        let mut command = command(api.authority());
        command.env("STOCK_EVENTS_TOPIC_ARN", address.arn.to_string()).env("AWS_ENDPOINT_URL_SNS", address.endpoint);
        let child = command.stdout(Stdio::null()).spawn().expect("the binary runs");
        Self { child, api }
    }

    /// Hands over an event, and returns the response or the error.
    pub(crate) async fn invoke(&self, event: Value) -> Value {
        tokio::time::timeout(DEADLINE, self.api.invoke(event)).await.expect("the function answers in time")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with the variables of Lambda.
pub(crate) fn command(runtime_api: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_low-stock"));
    command.env_clear().envs([
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", "low-stock"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("STOCK_EVENTS_TOPIC_ARN", "arn:aws:sns:eu-west-1:000000000000:stock-events"),
    ]);
    command
}
