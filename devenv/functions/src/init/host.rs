//! The host of functions, as an init calls it.

use std::sync::Arc;
use std::time::Duration;

use devenv_supervisor::memory::memory_of_groups;
use reqwest::{Client, Response, StatusCode};

use super::output::Output;
use crate::api::init::{INIT_PATH, MEMORY};

/// The pause after a call without an answer: the host starts, or starts again.
const CALL_AGAIN: Duration = Duration::from_millis(200);
/// The limit for an answer. The host answers a call for orders after two seconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// The limit for the last output of a program, whose container ends.
const REST_LIMIT: Duration = Duration::from_secs(1);

pub(super) struct Host {
    client: Client,
    /// The URL of everything that an init calls.
    url: String,
}

impl Host {
    /// `address` is that of the unit's Runtime API, HOST:PORT.
    pub(super) fn at(address: &str) -> Self {
        let client = Client::builder()
            // A proxy must not see the requests of one container to another.
            .no_proxy()
            .timeout(ANSWER_LIMIT)
            .tcp_nodelay(true)
            .build()
            .expect("a client without TLS needs nothing from the machine");
        Self { client, url: format!("http://{address}{INIT_PATH}") }
    }

    /// Resolves when the host orders the end of a program with this process group.
    pub(super) fn order(&self, instance: &str, group: u32) -> impl Future<Output = ()> + use<> {
        let (client, url) = (self.client.clone(), format!("{}{instance}", self.url));
        async move {
            // A program that has just started has no memory to speak of.
            let mut memory = None;
            loop {
                let mut call = client.get(&url);
                if let Some(bytes) = memory {
                    call = call.header(MEMORY, bytes);
                }
                match call.send().await.as_ref().map(Response::status) {
                    Ok(StatusCode::OK) => return,
                    Ok(StatusCode::NO_CONTENT) => {}
                    Ok(_) | Err(_) => tokio::time::sleep(CALL_AGAIN).await,
                }
                memory = memory_of_groups(&[group]);
            }
        }
    }

    /// Sends the output of a program as it arrives. Never ends.
    pub(super) fn sending(&self, instance: &str, output: &Arc<Output>) -> impl Future<Output = ()> + use<> {
        let (client, url, output) = (self.client.clone(), self.output(instance), Arc::clone(output));
        async move {
            loop {
                // Lost output is in the engine's log, and missing in an invocation's alone.
                let _ = client.post(&url).body(output.next().await).send().await;
            }
        }
    }

    /// Sends what is left of the output of a program that has ended.
    pub(super) async fn send_rest(&self, instance: &str, output: &Output) {
        let rest = output.take();
        if !rest.is_empty() {
            let _ = self.client.post(self.output(instance)).body(rest).timeout(REST_LIMIT).send().await;
        }
    }

    fn output(&self, instance: &str) -> String {
        format!("{}{instance}/output", self.url)
    }
}
