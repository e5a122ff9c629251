use std::collections::BTreeMap;

use devenv_cloud::{AccountMade, AccountNeeds, CloudError, EmulatedAccount, ServiceOrder};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::{FakeObjects, FakeRegistry, FakeServices, Faults};

/// An emulator's account over the other fakes: its bucket, repositories and services are theirs.
#[derive(Debug, Clone)]
pub struct FakeAccount {
    objects: FakeObjects,
    registry: FakeRegistry,
    services: FakeServices,
    faults: Faults,
}

impl FakeAccount {
    pub fn new(objects: FakeObjects, registry: FakeRegistry, services: FakeServices, faults: Faults) -> Self {
        Self { objects, registry, services, faults }
    }
}

impl EmulatedAccount for FakeAccount {
    fn prepare<'a>(&'a self, needs: &'a AccountNeeds) -> BoxFuture<'a, Result<AccountMade, CloudError>> {
        let prepare = || {
            self.objects.add_bucket(&needs.bucket);
            needs.services.values().for_each(|service| self.registry.add_repository(&service.repository));
            let target_group = |(name, service): (&String, &devenv_cloud::ServiceNeeds)| {
                (name.clone(), format!("arn:aws:elasticloadbalancing:::targetgroup/{}", service.load_balancer))
            };
            let target_groups: BTreeMap<_, _> = needs.services.iter().map(target_group).collect();
            Ok(AccountMade { cluster_arn: format!("arn:aws:ecs:::cluster/{}", needs.cluster), target_groups })
        };
        self.faults.meet(format!("prepare {}", needs.bucket), prepare).boxed()
    }

    fn release<'a>(&'a self, order: &'a ServiceOrder) -> BoxFuture<'a, Result<(), CloudError>> {
        let release = || {
            let text = |key: &str| order.container[key].as_str().unwrap_or_default().to_owned();
            let definition = self.services.register(&order.family, &text("name"), &text("image"));
            self.services.update(&order.cluster, &order.service, &definition);
            Ok(())
        };
        self.faults.meet(format!("release {}/{}", order.cluster, order.service), release).boxed()
    }
}
