use devenv_cloud::{Caller, CloudError, Identity};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::Faults;

/// A login.
#[derive(Debug, Clone)]
pub struct FakeIdentity {
    pub caller: Caller,
    pub region: Option<String>,
    faults: Faults,
}

impl FakeIdentity {
    /// A login to this account, twelve digits.
    pub fn new(faults: Faults, account: &str) -> Self {
        let arn = format!("arn:aws:iam::{account}:role/promote");
        Self { caller: Caller { account: account.to_owned(), arn }, region: None, faults }
    }
}

impl Identity for FakeIdentity {
    fn caller(&self) -> BoxFuture<'_, Result<Caller, CloudError>> {
        self.faults.meet("caller".to_owned(), || Ok(self.caller.clone())).boxed()
    }

    fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}
