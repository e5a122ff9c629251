//! An emulated AWS in a container of its own, without the engine's socket: the tasks of its services are imagined.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use devenv_aws::Aws;
use devenv_promotion::{
    AccountNeeds, Cloud, CloudAddress, Clouds, EmulatedLogin, Identity, Objects, Registry, ServiceNeeds, ServiceOrder,
    Services,
};
use devenv_resources::endpoint::Endpoint;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::{Account, BUCKET, CLUSTER, REPOSITORY};

const PORT: &str = "4566";
const REGION: &str = "eu-west-1";
const LOGIN: &str = "contract";
const READY_WITHIN: Duration = Duration::from_mins(1);

pub(crate) struct Emulated {
    container: Container,
    host: String,
    cloud: Cloud,
    target_group: String,
}

impl Emulated {
    pub(crate) async fn start() -> Self {
        let image = image();
        let published = format!("127.0.0.1:0:{PORT}");
        let region = format!("MINISTACK_REGION={REGION}");
        let run = ["run", "--detach", "--rm", "--publish", &published, "--env", &region, &image];
        let container = Container(docker(&run));
        let host = docker(&["port", &container.0, PORT]).lines().next().expect("it is published").to_owned();
        let endpoint = Endpoint::parse(&format!("http://{host}")).expect("on this machine");
        let login = EmulatedLogin { access_key: LOGIN.to_owned(), secret_key: LOGIN.to_owned() };
        let address = CloudAddress::Emulated { endpoint, region: REGION.to_owned(), login };
        let cloud = Aws.connect(&address).await;
        let deadline = Instant::now() + READY_WITHIN;
        while let Err(error) = cloud.identity.caller().await {
            assert!(Instant::now() < deadline, "the emulated AWS answers: {error}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let web = ServiceNeeds {
            repository: REPOSITORY.to_owned(),
            log_group: "/contract/web".to_owned(),
            load_balancer: "contract-web".to_owned(),
            port: 8000,
        };
        let services = BTreeMap::from([("web".to_owned(), web)]);
        let needs = AccountNeeds { bucket: BUCKET.to_owned(), cluster: CLUSTER.to_owned(), services };
        let made = cloud.emulated.as_ref().expect("it is emulated").prepare(&needs).await.expect("an empty account");
        let target_group = made.target_groups["web"].clone();
        Self { container, host, cloud, target_group }
    }
}

impl Account for Emulated {
    fn identity(&self) -> &dyn Identity {
        self.cloud.identity.as_ref()
    }

    fn objects(&self) -> &dyn Objects {
        self.cloud.objects.as_ref()
    }

    fn registry(&self) -> &dyn Registry {
        self.cloud.registry.as_ref()
    }

    fn services(&self) -> &dyn Services {
        self.cloud.services.as_ref()
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn release<'a>(&'a self, image: &'a str) -> BoxFuture<'a, ()> {
        async move {
            let order = ServiceOrder {
                cluster: CLUSTER.to_owned(),
                service: "web".to_owned(),
                family: "contract-web".to_owned(),
                container: json!({ "name": "web", "image": image, "portMappings": [{ "containerPort": 8000 }] }),
                target_group: self.target_group.clone(),
                port: 8000,
                tasks: 1,
            };
            let emulated = self.cloud.emulated.as_ref().expect("it is emulated");
            emulated.release(&order).await.unwrap_or_else(|error| panic!("{}: {error}", self.container.0));
        }
        .boxed()
    }
}

struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}

/// A test that runs without its requirement fails; it never passes silently.
fn image() -> String {
    let answers = Command::new("docker").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(answers.is_ok_and(|status| status.success()), "this test needs a container engine, and none answers");
    std::env::var("REHEARSAL_IMAGE").expect("this test needs REHEARSAL_IMAGE to name an image of an emulated AWS")
}

/// What `docker` prints.
fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker is here");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "docker {}: {complaint}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
