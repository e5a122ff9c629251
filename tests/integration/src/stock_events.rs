use std::collections::{BTreeMap, HashMap};

use reqwest_tls::Client;
use serde_json::Value;
use uuid::Uuid;

use crate::{Environment, Queue, Settings, queue::ANSWER_LIMIT, signed};

/// The account of every emulator.
const ACCOUNT: &str = "000000000000";

/// The events of the topic `stock-events`, by way of a queue of the test's own.
#[derive(Debug)]
pub struct StockEvents {
    queue: Queue,
    topic: Topic,
    subscription: String,
    /// The events of each product by id, in the order of their first arrivals.
    of_products: HashMap<String, Vec<StockEvent>>,
    /// The number of messages whose event had come before.
    pub repeated: usize,
}

/// An event `stock.low`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockEvent {
    pub id: Uuid,
    /// After the write.
    pub stock: u64,
    pub threshold: u64,
}

impl StockEvents {
    /// Subscribes a new queue to the topic: it gets what is published from now on.
    ///
    /// # Panics
    /// When the environment has no topics, or refuses the subscription.
    pub async fn subscribe(environment: &Environment) -> Self {
        let settings = &environment.settings;
        let name = format!("stock-events-{}", Uuid::new_v4().simple());
        let queue = Queue::create(settings, &name).await;
        let topic = Topic::new(settings, "stock-events");
        let endpoint = format!("arn:aws:sqs:{}:{ACCOUNT}:{name}", settings.region);
        let subscription = topic.subscribe(&endpoint).await.unwrap_or_else(|reason| panic!("{reason}"));
        Self { queue, topic, subscription, of_products: HashMap::new(), repeated: 0 }
    }

    /// Ends the subscription, and deletes the queue.
    ///
    /// # Panics
    /// When the emulator does not answer.
    pub async fn unsubscribe(self) {
        let ended = self.topic.call(&[("Action", "Unsubscribe"), ("SubscriptionArn", &self.subscription)]).await;
        ended.unwrap_or_else(|reason| panic!("{reason}"));
        self.queue.remove().await.unwrap_or_else(|reason| panic!("{reason}"));
    }

    /// Takes what has arrived.
    ///
    /// # Errors
    /// When the emulator does not answer.
    ///
    /// # Panics
    /// When a message is no `stock.low`, or a repetition differs from the first.
    pub async fn take(&mut self) -> Result<(), String> {
        for message in self.queue.drain().await? {
            assert_eq!(message.kind.as_deref(), Some("stock.low"), "expected the type as an attribute: {message:?}");
            let event: Value = serde_json::from_str(&message.body).expect("an event is JSON");
            self.add(&event).unwrap_or_else(|| panic!("expected an event of a low stock: {event}"));
        }
        Ok(())
    }

    fn add(&mut self, event: &Value) -> Option<()> {
        assert_eq!((&event["type"], &event["version"]), (&"stock.low".into(), &1.into()), "{event}");
        let product_id = event["product_id"].as_str()?.to_owned();
        let read = StockEvent {
            id: event["id"].as_str()?.parse().ok()?,
            stock: event["stock"].as_u64()?,
            threshold: event["threshold"].as_u64()?,
        };
        let events = self.of_products.entry(product_id).or_default();
        match events.iter().find(|known| known.id == read.id) {
            Some(first) => {
                assert_eq!(*first, read, "expected a repetition to equal the first");
                self.repeated += 1;
            }
            None => events.push(read),
        }
        Some(())
    }

    /// The events of a product, without repetitions.
    pub fn of(&self, product_id: &str) -> &[StockEvent] {
        self.of_products.get(product_id).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A topic of the environment, over the wire protocol of SNS.
#[derive(Debug)]
struct Topic {
    http: Client,
    endpoint: String,
    arn: String,
    region: String,
}

impl Topic {
    fn new(settings: &Settings, name: &str) -> Self {
        let endpoint = settings.sns.clone().expect("AWS_ENDPOINT_URL_SNS is set: run `cargo devenv test`");
        let http = Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().expect("a plain HTTP client can be made");
        let region = settings.region.clone();
        Self { http, endpoint, arn: format!("arn:aws:sns:{region}:{ACCOUNT}:{name}"), region }
    }

    /// Subscribes a queue, and returns the subscription's ARN.
    async fn subscribe(&self, queue_arn: &str) -> Result<String, String> {
        let answer = self
            .call(&[
                ("Action", "Subscribe"),
                ("TopicArn", &self.arn),
                ("Protocol", "sqs"),
                ("Endpoint", queue_arn),
                ("Attributes.entry.1.key", "RawMessageDelivery"),
                ("Attributes.entry.1.value", "true"),
                ("ReturnSubscriptionArn", "true"),
            ])
            .await?;
        let arn = answer.split_once("<SubscriptionArn>").and_then(|(_, rest)| rest.split_once("</SubscriptionArn>"));
        arn.map(|(arn, _)| arn.to_owned()).ok_or_else(|| format!("no ARN of a subscription in {answer}"))
    }

    async fn call(&self, fields: &[(&str, &str)]) -> Result<String, String> {
        let mut form = BTreeMap::from([("Version", "2010-03-31")]);
        form.extend(fields.iter().copied());
        signed::send(self.http.post(&self.endpoint).form(&form), "sns", &self.region, form["Action"]).await
    }
}
