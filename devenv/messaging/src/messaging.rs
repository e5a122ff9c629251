use std::sync::Arc;

use tokio::sync::watch;

use crate::front::call::{Call, Service};
use crate::front::error::ApiError;
use crate::front::reply::Reply;
use crate::front::request::Head;
use crate::store::open::{OpenError, Place};
use crate::store::writer::Store;
use crate::topics::courier::Courier;
use crate::{front, queues, topics};

/// The two services over one store. A clone is another handle of the same store, which ends with the last one.
#[derive(Clone)]
pub struct Messaging {
    store: Store,
    /// Takes the messages of topics to HTTP endpoints.
    courier: Courier,
    /// Turns true when the server drains: long polls then end with what they have.
    draining: Arc<watch::Sender<bool>>,
}

impl Messaging {
    /// Opens or creates the file, and starts the thread that writes to it.
    pub fn open(place: &Place) -> Result<Self, OpenError> {
        let (store, courier) = (Store::open(place)?, Courier::default());
        if store.had_deliveries {
            courier.tell();
        }
        Ok(Self { store, courier, draining: Arc::new(watch::Sender::new(false)) })
    }

    /// Answers one request. Dropping the future gives the request up, unless its transaction has begun.
    pub async fn answer(&self, head: &Head, body: &[u8]) -> Reply {
        let request_id = uuid::Uuid::new_v4().to_string();
        let call = match front::call::read(head, body) {
            Ok(call) => Arc::new(call),
            Err(refused) => return Reply::refusal(&refused.error, refused.service, refused.protocol, request_id),
        };
        let outcome = self.run(&call).await;
        self.resume();
        let reply = match outcome {
            Ok(value) => Reply::result(&call, &value, request_id),
            Err(error) => Reply::refusal(&error, call.service, call.protocol, request_id),
        };
        Reply { operation: Some(call.permission()), ..reply }
    }

    /// Goes on with the deliveries to HTTP endpoints that the file has, without waiting for a request. Needs a runtime of tokio.
    pub fn resume(&self) {
        self.courier.work(&self.store, self.draining.subscribe());
    }

    /// Ends long polls, and keeps new ones from waiting.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    async fn run(&self, call: &Arc<Call>) -> Result<serde_json::Value, ApiError> {
        match call.service {
            Service::Queues => queues::dispatch::run(&self.store, call, self.draining.subscribe()).await,
            Service::Topics => topics::dispatch::run(&self.store, &self.courier, call).await,
        }
    }
}
