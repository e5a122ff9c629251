//! How a promotion comes to AWS: the traits are `devenv-cloud`'s, and one crate implements them over the network.

use std::fmt;
use std::sync::Arc;

pub use devenv_cloud::{
    AccountMade, AccountNeeds, Caller, CloudError, CloudErrorKind, Condition, DefinedContainer, EmulatedAccount,
    Identity, ImageReference, LogPlace, Object, Objects, PushedImage, Registry, RegistryImage, RepositoryAddress,
    ServiceNeeds, ServiceOrder, Services, TaskDefinition,
};
use devenv_resources::endpoint::Endpoint;
use futures_util::future::BoxFuture;

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
