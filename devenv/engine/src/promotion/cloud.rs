//! What a promotion asks of AWS, in its own terms. One crate implements it; no other names AWS's interfaces.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use devenv_model::promotion::{ServiceState, TaskState};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::dynamo::Endpoint;

/// Finds the caller's login and speaks to AWS with it.
pub trait Clouds: Send + Sync + fmt::Debug {
    fn connect<'a>(&'a self, address: &'a CloudAddress) -> BoxFuture<'a, Cloud>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudAddress {
    /// AWS, with whatever login the caller's environment gives.
    Account { region: String },
    /// An emulator on this machine, with a login of its own. The caller's is not looked at.
    Emulated { endpoint: Endpoint, region: String, login: EmulatedLogin },
}

/// Of an account that is nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatedLogin {
    pub access_key: String,
    pub secret_key: String,
}

/// AWS as one caller reaches it in one region.
#[derive(Debug, Clone)]
pub struct Cloud {
    pub identity: Arc<dyn Identity>,
    pub objects: Arc<dyn Objects>,
    pub registry: Arc<dyn Registry>,
    pub services: Arc<dyn Services>,
    /// Of an emulator only: AWS's accounts are made by Terraform.
    pub emulated: Option<Arc<dyn EmulatedAccount>>,
}

/// Who is calling (STS).
pub trait Identity: Send + Sync + fmt::Debug {
    fn caller(&self) -> BoxFuture<'_, Result<Caller, CloudError>>;
    /// The region that the caller's environment names; `None` when it names none.
    fn region(&self) -> Option<&str>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    pub arn: String,
}

/// Objects in buckets (S3).
pub trait Objects: Send + Sync + fmt::Debug {
    fn get<'a>(&'a self, bucket: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Object>, CloudError>>;
    /// Writes it if the condition holds; else the error is a [`CloudErrorKind::Conflict`]. Returns the new ETag.
    fn put<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        content: Vec<u8>,
        condition: Condition,
    ) -> BoxFuture<'a, Result<String, CloudError>>;
    /// The folders directly below a prefix that ends with `/`: their names, in order.
    fn folders<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, CloudError>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub content: Vec<u8>,
    pub etag: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only where nothing is.
    Absent,
    /// Only over what has this ETag.
    Matches(String),
}

/// The registry of images (ECR).
pub trait Registry: Send + Sync + fmt::Debug {
    fn login(&self) -> BoxFuture<'_, Result<RegistryLogin, CloudError>>;
    /// By tag or digest; the repository is given without its host.
    fn image<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a ImageReference,
    ) -> BoxFuture<'a, Result<Option<PushedImage>, CloudError>>;
}

#[derive(Clone, PartialEq, Eq)]
pub struct RegistryLogin {
    pub user: String,
    pub password: String,
}

/// A password is in no log.
impl fmt::Debug for RegistryLogin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RegistryLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageReference {
    Tag(String),
    Digest(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedImage {
    /// Of its manifest.
    pub digest: String,
    pub manifest: Vec<u8>,
}

/// What runs (ECS), and what it wrote (CloudWatch Logs).
pub trait Services: Send + Sync + fmt::Debug {
    fn service<'a>(
        &'a self,
        cluster: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ServiceState>, CloudError>>;
    /// Those that run and those that were stopped not long ago.
    fn tasks<'a>(&'a self, cluster: &'a str, service: &'a str) -> BoxFuture<'a, Result<Vec<TaskState>, CloudError>>;
    /// By its name with a revision, or the newest of a family.
    fn task_definition<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TaskDefinition, CloudError>>;
    fn scale<'a>(&'a self, cluster: &'a str, service: &'a str, tasks: u32) -> BoxFuture<'a, Result<(), CloudError>>;
    /// The last lines, oldest first; none when nothing was written.
    fn log<'a>(&'a self, place: &'a LogPlace, lines: u16) -> BoxFuture<'a, Result<Vec<String>, CloudError>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDefinition {
    /// With its revision.
    pub arn: String,
    /// By container: group and prefix of its log, where it has one.
    pub logs: BTreeMap<String, (String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    pub group: String,
    pub stream: String,
}

/// An account that devenv makes by itself, because it is an emulator's and empty at first.
pub trait EmulatedAccount: Send + Sync + fmt::Debug {
    /// Makes what is absent, and leaves what is there.
    fn prepare<'a>(&'a self, needs: &'a AccountNeeds) -> BoxFuture<'a, Result<AccountMade, CloudError>>;
    /// Registers the task definition unless the newest is the same, and has the service run it.
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
    /// By service.
    pub target_groups: BTreeMap<String, String>,
}

/// One service of a release, as the rehearsal's Terraform hands it to `devenv`.
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

/// What AWS refused or failed to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action}: {cause}")]
pub struct CloudError {
    /// Such as `read dev/releases/lock`.
    pub action: String,
    pub cause: String,
    pub kind: CloudErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudErrorKind {
    /// A condition of a write did not hold.
    Conflict,
    NotFound,
    /// No login, or one that has expired.
    Login,
    /// The login may not do this.
    Denied,
    Unreachable,
    Other,
}
