//! Releases that Terraform applies and ECS runs.

use std::collections::BTreeMap;

use devenv_ledger::retry;
use devenv_releases::record::{Kind, Release};
use devenv_runtime::Cancel;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::context::PromotionContext;
use crate::delivery::{Definitions, Delivery, Planned, Scheduler};
use crate::ecs::Ecs;
use crate::error::Error;
use crate::foundation::Foundation;
use crate::rehearsal;
use crate::terraform_folder::TerraformFolder;
use crate::tree::Tree;

/// An environment whose foundation is there.
#[derive(Debug)]
pub(crate) struct TerraformEcs<'a> {
    context: &'a PromotionContext<'a>,
    terraform: TerraformFolder<'a>,
    foundation: Foundation,
}

impl<'a> TerraformEcs<'a> {
    async fn open(context: &'a PromotionContext<'a>, kind: Kind, cancel: &Cancel) -> Result<Self, Error> {
        let terraform = TerraformFolder::open(context)?;
        if kind == Kind::Promotion {
            rehearsal::lay_foundation(context, &terraform, cancel).await?;
        }
        let foundation = Foundation::read(&context.ledger).await?;
        if kind == Kind::Promotion {
            let differences = foundation.differences(context.name(), &context.project.manifest)?;
            if !differences.is_empty() {
                return Err(Error::ResourcesDiffer { environment: context.name().to_owned(), differences });
            }
        }
        Ok(Self { context, terraform, foundation })
    }
}

impl Delivery for TerraformEcs<'_> {
    fn prepare<'a>(
        context: &'a PromotionContext<'a>,
        kind: Kind,
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<Box<dyn Delivery + 'a>, Error>> {
        async move { Ok(Box::new(TerraformEcs::open(context, kind, cancel).await?) as Box<dyn Delivery + 'a>) }.boxed()
    }

    fn repository(&self, service: &str) -> Result<(&str, &str), Error> {
        self.foundation.repository(self.context.name(), service)
    }

    fn plan<'a>(
        &'a self,
        tree: &'a Tree,
        release: &'a Release,
        only_look: bool,
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<Planned, Error>> {
        self.terraform.plan(tree, release, only_look, cancel).boxed()
    }

    fn apply<'a>(&'a self, cancel: &'a Cancel) -> BoxFuture<'a, Result<(), Error>> {
        self.terraform.apply(cancel).boxed()
    }

    fn definitions(&self) -> BoxFuture<'_, Result<Definitions, Error>> {
        self.terraform.task_definitions().boxed()
    }

    fn scheduler(&self) -> Box<dyn Scheduler + '_> {
        Box::new(Ecs { services: self.context.cloud.services.as_ref(), cluster: &self.foundation.cluster })
    }

    /// In AWS, Terraform itself removes a service. A rehearsal has no provider that could.
    fn retire(&self) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            if self.context.emulated.is_none() {
                return Ok(());
            }
            let (scheduler, released) = (self.scheduler(), self.definitions().await?);
            for service in self.foundation.services.keys().filter(|service| !released.contains_key(*service)) {
                if retry(|| scheduler.desired(service)).await?.is_some_and(|tasks| tasks > 0) {
                    self.context.progress(format!("{service}: stopping, since the release does not have it"));
                    retry(|| scheduler.scale(service, 0)).await?;
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn address(&self) -> &str {
        &self.foundation.url
    }

    fn addresses(&self) -> &BTreeMap<String, String> {
        &self.foundation.urls
    }
}
