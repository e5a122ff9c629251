//! Connections to AWS. `devenv-cloud` defines the traits; `devenv-aws` implements them over the network.

use std::fmt;
use std::sync::Arc;

pub use devenv_cloud::{
    AccountMade, AccountNeeds, Caller, CloudError, CloudErrorKind, Condition, DefinedContainer, EmulatedAccount,
    Identity, ImageReference, LogPlace, Object, Objects, PushedImage, Registry, RegistryImage, RepositoryAddress,
    ServiceNeeds, ServiceOrder, Services, TaskDefinition,
};
use devenv_resources::endpoint::Endpoint;
use futures_util::future::BoxFuture;

/// Finds the caller's login and connects to AWS with it.
pub trait Clouds: Send + Sync + fmt::Debug {
    fn connect<'a>(&'a self, address: &'a CloudAddress) -> BoxFuture<'a, Cloud>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudAddress {
    /// AWS, with the login of the caller's environment.
    Account { region: String },
    /// An emulator on this machine, with a login of its own instead of the caller's.
    Emulated { endpoint: Endpoint, region: String, login: EmulatedLogin },
}

/// The login of an emulated account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatedLogin {
    pub access_key: String,
    pub secret_key: String,
}

/// AWS for one caller in one region.
#[derive(Debug, Clone)]
pub struct Cloud {
    pub identity: Arc<dyn Identity>,
    pub objects: Arc<dyn Objects>,
    pub registry: Arc<dyn Registry>,
    pub services: Arc<dyn Services>,
    /// `Some` for an emulator only: Terraform prepares AWS's accounts.
    pub emulated: Option<Arc<dyn EmulatedAccount>>,
}
