//! What every implementation of `devenv-cloud`'s traits keeps to: the same tests on AWS in memory and, by way of AWS's SDK, on an
//! emulated AWS in a container. A fake that merely repeats what our code believes fails here.

mod emulated;
mod identity;
mod lost_answer;
mod objects;
mod registry;
mod services;

use devenv_fakes::{FakeIdentity, FakeObjects, FakeRegistry, FakeServices, Faults};
use devenv_promotion::{Identity, Objects, Registry, Services};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

const BUCKET: &str = "contract-state";
const CLUSTER: &str = "contract";
const REPOSITORY: &str = "contract/web";

/// An account with a bucket, a cluster and a repository, all empty.
trait Account {
    fn identity(&self) -> &dyn Identity;
    fn objects(&self) -> &dyn Objects;
    fn registry(&self) -> &dyn Registry;
    fn services(&self) -> &dyn Services;
    /// At which its registry is reached.
    fn host(&self) -> &str;
    /// As Terraform does it: registers a task definition of the image and has the service `web` run one task of it.
    fn release<'a>(&'a self, image: &'a str) -> BoxFuture<'a, ()>;
}

async fn keeps_the_contract(account: &dyn Account) {
    identity::the_caller_is_known(account.identity()).await;
    objects::conditions_hold(account.objects()).await;
    objects::what_is_absent_is_told_from_what_fails(account.objects()).await;
    objects::folders_are_listed_whole(account.objects()).await;
    registry::an_image_comes_back_as_it_was_pushed(account).await;
    services::a_service_runs_what_it_is_told(account).await;
}

struct Fake {
    identity: FakeIdentity,
    objects: FakeObjects,
    registry: FakeRegistry,
    services: FakeServices,
}

impl Account for Fake {
    fn identity(&self) -> &dyn Identity {
        &self.identity
    }

    fn objects(&self) -> &dyn Objects {
        &self.objects
    }

    fn registry(&self) -> &dyn Registry {
        &self.registry
    }

    fn services(&self) -> &dyn Services {
        &self.services
    }

    fn host(&self) -> &'static str {
        "registry.example"
    }

    fn release<'a>(&'a self, image: &'a str) -> BoxFuture<'a, ()> {
        async move {
            let definition = self.services.register("contract-web", "web", image);
            self.services.update(CLUSTER, "web", &definition);
            self.services.scale(CLUSTER, "web", 1).await.expect("it is there");
        }
        .boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn aws_in_memory_keeps_the_contract() {
    let faults = Faults::default();
    let fake = Fake {
        identity: FakeIdentity::new(faults.clone(), "000000000000"),
        objects: FakeObjects::new(faults.clone(), [BUCKET]),
        registry: FakeRegistry::new(faults.clone(), [REPOSITORY]),
        services: FakeServices::new(faults),
    };
    keeps_the_contract(&fake).await;
}

#[tokio::test]
#[ignore = "needs a container engine and REHEARSAL_IMAGE"]
async fn an_emulated_aws_keeps_the_contract() {
    keeps_the_contract(&emulated::Emulated::start().await).await;
}
