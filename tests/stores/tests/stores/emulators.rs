use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use order_testing::{Emulator, eventually};
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, Image, ImageExt};
use testcontainers_modules::dynamodb_local::DynamoDb;
use testcontainers_modules::localstack::LocalStack;
use tokio::runtime::Runtime;

use crate::system::System;

/// The images that `devenv.toml` names.
const DYNAMODB_LOCAL: &str = "amazon/dynamodb-local:2.6.1";
const LOCALSTACK: &str = "localstack/localstack:4.14.0";

const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// One runtime for all tests, because they share connections to the engine: a connection that is being made when its test's
/// runtime ends would leave another test waiting for ever.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads can be started"));

/// Makes a test of one body on each emulator.
macro_rules! on_every_emulator {
    ($name:ident, $body:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn embedded() {
                crate::emulators::on_the_embedded($body);
            }

            #[test]
            #[ignore = "needs a container engine and DYNAMODB_LOCAL_IMAGE"]
            fn dynamodb_local() {
                crate::emulators::on_dynamodb_local($body);
            }

            #[test]
            #[ignore = "needs a container engine and LOCALSTACK_IMAGE"]
            fn localstack() {
                crate::emulators::on_localstack($body);
            }
        }
    };
}
pub(crate) use on_every_emulator;

/// Runs a body on the embedded emulator, in this process.
pub(crate) fn on_the_embedded(body: impl AsyncFn(System)) {
    RUNTIME.block_on(async { body(System::over(Emulator::start().await).await).await });
}

pub(crate) fn on_dynamodb_local(body: impl AsyncFn(System)) {
    let image = image("DYNAMODB_LOCAL_IMAGE", DYNAMODB_LOCAL);
    RUNTIME.block_on(run(DynamoDb::default().into(), &image, 8000, &body));
}

pub(crate) fn on_localstack(body: impl AsyncFn(System)) {
    let image = image("LOCALSTACK_IMAGE", LOCALSTACK);
    let request = LocalStack::default().with_env_var("SERVICES", "dynamodb");
    RUNTIME.block_on(run(request, &image, 4566, &body));
}

/// Runs a body on an emulator in a new container.
async fn run<I: Image>(request: ContainerRequest<I>, image: &str, port: u16, body: &impl AsyncFn(System)) {
    let (name, tag) = image.rsplit_once(':').expect("an image with its version");
    let request = request.with_name(name).with_tag(tag);
    // Wait for an answer: the modules' own conditions wait for a log line, which differs between compatible images.
    let request = request
        .with_ready_conditions(vec![WaitFor::Nothing])
        .with_mapped_port(0, port.tcp())
        .with_host_config_modifier(|config| {
            let bindings = config.port_bindings.iter_mut().flat_map(HashMap::values_mut).flatten().flatten();
            bindings.for_each(|binding| binding.host_ip = Some("127.0.0.1".to_owned()));
        });
    let started = request.start().await;
    let container: ContainerAsync<I> = started.unwrap_or_else(|error| panic!("{image} does not start: {error}"));
    let port = container.get_host_port_ipv4(port).await.expect("published");
    let url = format!("http://127.0.0.1:{port}/");
    let answers = async || tokio::time::timeout(ANSWER_LIMIT, reqwest::get(&url)).await.ok()?.ok().map(drop);
    eventually(image, Duration::from_mins(1), answers).await;
    body(System::over(Emulator::at(&url).await).await).await;
}

fn image(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}
