use std::collections::BTreeMap;
use std::fmt;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::CloudError;

/// An emulator's account, empty at first, which devenv prepares itself.
pub trait EmulatedAccount: Send + Sync + fmt::Debug {
    /// Creates the resources that are absent, and leaves existing ones unchanged.
    fn prepare<'a>(&'a self, needs: &'a AccountNeeds) -> BoxFuture<'a, Result<AccountMade, CloudError>>;
    /// Registers the task definition unless the newest is the same, and makes the service run it.
    fn release<'a>(&'a self, order: &'a ServiceOrder) -> BoxFuture<'a, Result<(), CloudError>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountNeeds {
    pub bucket: String,
    pub cluster: String,
    /// A repository, a log group and a load balancer for each, all of this name.
    pub services: BTreeMap<String, ServiceNeeds>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceNeeds {
    pub repository: String,
    pub log_group: String,
    pub load_balancer: String,
    /// The port that its containers listen on.
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountMade {
    pub cluster_arn: String,
    /// The target groups, by service.
    pub target_groups: BTreeMap<String, String>,
}

/// One service of a release, as the rehearsal's Terraform passes it to `devenv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceOrder {
    pub cluster: String,
    pub service: String,
    pub family: String,
    /// In the shape of `RegisterTaskDefinition`.
    pub container: serde_json::Value,
    pub target_group: String,
    pub port: u16,
    pub tasks: u32,
}
