use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::{
    Service, Settings, StoredOrder, Tables, Units, eventually, journal::Journal, metrics::Metrics, turn::Turn,
};

/// The price of the tests' products, in whole units of currency.
pub const PRICE: u64 = 7;

/// Time for a killed unit's successor to be ready, with the supervisor's longest back-off (10 s).
const RESTARTED: Duration = Duration::from_secs(30);

/// The running order system, as one test sees it.
#[derive(Debug)]
pub struct Environment {
    pub settings: Settings,
    pub api: Service,
    pub processor: Service,
    pub tables: Tables,
    pub units: Units,
    pub(crate) journal: Arc<Journal>,
    turn: Mutex<Option<Turn>>,
}

impl Environment {
    pub(crate) fn new(settings: Settings, turn: Turn) -> Self {
        let journal = Arc::new(Journal::default());
        Self {
            api: Service::new(&settings.order_api, journal.clone()),
            processor: Service::new(&settings.order_processor, journal.clone()),
            tables: Tables::new(&settings),
            units: Units::new(&settings),
            journal,
            turn: Mutex::new(Some(turn)),
            settings,
        }
    }

    /// Creates a product with this stock, at a price of 7. Returns its id.
    pub async fn product(&self, stock: u64) -> String {
        self.new_product(stock, None).await
    }

    /// Creates a product whose stock is low below this threshold of its own. Returns its id.
    pub async fn product_with_threshold(&self, stock: u64, threshold: u64) -> String {
        self.new_product(stock, Some(threshold)).await
    }

    async fn new_product(&self, stock: u64, threshold: Option<u64>) -> String {
        let product_id = format!("product-{}", Uuid::new_v4().simple());
        self.journal.product(&product_id);
        self.tables.put_product(&product_id, PRICE, stock, threshold).await;
        product_id
    }

    /// Returns the id of a new customer.
    pub fn customer(&self) -> String {
        self.new_customer(None)
    }

    /// Returns the id of a new customer that orders this product alone.
    pub(crate) fn customer_of(&self, product_id: &str) -> String {
        self.new_customer(Some(product_id))
    }

    fn new_customer(&self, only_product: Option<&str>) -> String {
        let customer_id = format!("customer-{}", Uuid::new_v4().simple());
        self.journal.customer(&customer_id, only_product);
        customer_id
    }

    /// The reports.
    ///
    /// # Panics
    /// When the environment runs without the profile `reporting`.
    pub fn reports(&self) -> Service {
        let url = self.settings.order_reporting.as_deref();
        let remedy = "ORDER_REPORTING_URL is not set: start the profile reporting, as tests/integration/tests/reports/main.rs describes";
        Service::new(url.expect(remedy), self.journal.clone())
    }

    /// The orders of this test's customers for a product.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn orders_of(&self, product_id: &str) -> Result<Vec<StoredOrder>, String> {
        self.tables.orders_of(product_id, &self.journal.customers_of(product_id)).await
    }

    /// Returns an unused idempotency key.
    pub fn key(&self) -> String {
        Uuid::new_v4().to_string()
    }

    /// The metrics of order-api and order-processor.
    pub async fn metrics(&self) -> (Metrics, Metrics) {
        let read = async |url: &str| {
            let answer = Service::new(url, self.journal.clone()).get("/metrics").await;
            assert_eq!(answer.status, 200, "expected the metrics in the Prometheus text format at {url}/metrics");
            Metrics::parse(answer.body.as_str().unwrap_or_default())
        };
        tokio::join!(read(&self.settings.order_api_metrics), read(&self.settings.order_processor_metrics))
    }

    /// Lets other tests continue: from here on this test disturbs nothing and only waits.
    pub fn end_turn(&self) {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Kills a unit as a crash would (SIGKILL) and returns once its successor serves.
    pub async fn crash(&self, unit: &str) {
        if let Some(service) = self.service(unit) {
            let witness = service.witness().await;
            self.units.kill(unit).await;
            // Only a broken connection proves that the old process is gone: until then it may answer instead of the new one.
            witness.broken().await;
            match unit {
                crate::EMULATOR | crate::MESSAGES => service.answers().await,
                _ => service.healthy().await,
            }
        } else {
            let old = self.ready(unit).await;
            self.units.kill(unit).await;
            self.succeeded(unit, old).await;
        }
        // order-api is healthy only when order-processor and the tables are, so check it in each case.
        self.api.healthy().await;
    }

    /// Kills these units at the same time, as a power cut would, and returns once their successors serve.
    pub async fn crash_together(&self, units: &[&str]) {
        let mut old = Vec::new();
        for unit in units {
            old.push((unit, self.ready(unit).await));
        }
        for unit in units {
            self.units.kill(unit).await;
        }
        for (unit, old) in old {
            self.succeeded(unit, old).await;
        }
        self.api.healthy().await;
    }

    /// Waits until a unit is ready. Returns its process.
    async fn ready(&self, unit: &str) -> u64 {
        eventually(&format!("{unit} is ready"), RESTARTED, async || self.units.ready(unit).await).await
    }

    /// Waits until another process of a unit than this one is ready.
    async fn succeeded(&self, unit: &str, old: u64) {
        eventually(&format!("the successor of process {old} of {unit} is ready"), RESTARTED, async || {
            let ready = self.units.ready(unit).await?;
            if ready == old { Err("it still runs".to_owned()) } else { Ok(()) }
        })
        .await;
    }

    /// A unit that answers over HTTP.
    fn service(&self, unit: &str) -> Option<Service> {
        let at = |url: Option<&str>| Service::new(url.unwrap_or_default(), self.journal.clone());
        match unit {
            crate::ORDER_API => Some(self.api.clone()),
            crate::ORDER_PROCESSOR => Some(self.processor.clone()),
            crate::EMULATOR => Some(at(Some(&self.settings.dynamodb))),
            crate::MESSAGES => Some(at(self.settings.sqs.as_deref())),
            _ => None,
        }
    }
}
