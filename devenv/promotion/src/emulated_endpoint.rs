//! Where an emulated AWS answers, and with which login.

use std::collections::BTreeMap;

use devenv_resources::endpoint::Endpoint;

use crate::cloud::{CloudAddress, EmulatedLogin, ServiceNeeds};
use crate::error::Error;

/// The name of the container on its network, where the tasks reach it.
pub(crate) const HOST: &str = "emulated-aws";
pub(crate) const PORT: u16 = 4566;
/// The emulator's own region; tasks and Terraform are told the same.
pub(crate) const REGION: &str = "eu-west-1";

/// An emulated AWS that runs, and the one login that its guard lets in.
#[derive(Debug, Clone)]
pub(crate) struct EmulatedAws {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: EmulatedLogin,
}

impl EmulatedAws {
    pub(crate) fn address(self) -> CloudAddress {
        CloudAddress::Emulated { endpoint: self.endpoint, region: REGION.to_owned(), login: self.login }
    }

    /// Has the guard let everybody through to the load balancers of these services, which are there.
    pub(crate) async fn open(&self, services: &BTreeMap<String, ServiceNeeds>) -> Result<(), Error> {
        let client = reqwest::Client::builder().no_proxy().build().expect("plain HTTP needs nothing of the machine");
        for ServiceNeeds { load_balancer: name, .. } in services.values() {
            let asked = client.put(format!("{}/_guard/balancers/{name}", self.endpoint));
            let answer = asked.bearer_auth(&self.login.access_key).send().await;
            if let Err(error) = answer.and_then(reqwest::Response::error_for_status) {
                let cause = format!("its guard does not open the load balancer {name}: {error}");
                return Err(Error::Rehearsal { cause, log: Vec::new() });
            }
        }
        Ok(())
    }
}
