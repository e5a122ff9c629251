//! The address of an emulated AWS, and the login for it.

use std::collections::BTreeMap;
use std::time::Duration;

use devenv_rehearsal::account::REGION;
use devenv_resources::endpoint::Endpoint;

use crate::cloud::{CloudAddress, EmulatedLogin, ServiceNeeds};
use crate::error::Error;

/// The guard answers from memory.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A running emulated AWS, and the only login that its guard accepts.
#[derive(Debug, Clone)]
pub(crate) struct EmulatedAws {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: EmulatedLogin,
}

impl EmulatedAws {
    pub(crate) fn address(self) -> CloudAddress {
        CloudAddress::Emulated { endpoint: self.endpoint, region: REGION.to_owned(), login: self.login }
    }

    /// Opens the load balancers of these services, which exist, to every caller.
    pub(crate) async fn open(&self, services: &BTreeMap<String, ServiceNeeds>) -> Result<(), Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build();
        let client = client.expect("plain HTTP needs nothing of the machine");
        for ServiceNeeds { load_balancer: name, .. } in services.values() {
            let asked = client.put(format!("{}/_guard/balancers/{name}", self.endpoint));
            let answer = asked.bearer_auth(&self.login.access_key).send().await;
            if let Err(error) = answer.and_then(reqwest::Response::error_for_status) {
                return Err(Error::BalancerShut { name: name.clone(), cause: error.to_string() });
            }
        }
        Ok(())
    }
}
