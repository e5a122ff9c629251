use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::{Service, Settings, StoredOrder, Tables, Units, journal::Journal, metrics::Metrics, turn::Turn};

/// The price of the tests' products, in whole units of currency.
pub const PRICE: u64 = 7;

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
        let product_id = format!("product-{}", Uuid::new_v4().simple());
        self.journal.product(&product_id);
        self.tables.put_product(&product_id, PRICE, stock).await;
        product_id
    }

    /// Returns the id of a new customer.
    pub fn customer(&self) -> String {
        let customer_id = format!("customer-{}", Uuid::new_v4().simple());
        self.journal.customer(&customer_id);
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
        self.tables.orders_of(product_id, &self.journal.customers()).await
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
        if unit == crate::REPORTING_DATABASE {
            // It speaks no HTTP; the consumer is healthy when its database is.
            self.units.kill(unit).await;
            return self.service(crate::REPORTING_CONSUMER).healthy().await;
        }
        let service = self.service(unit);
        let witness = service.witness().await;
        self.units.kill(unit).await;
        // Only a broken connection proves that the old process is gone: until then it may answer instead of the new one.
        witness.broken().await;
        match unit {
            crate::EMULATOR | crate::MESSAGES => service.answers().await,
            _ => service.healthy().await,
        }
        // order-api is healthy only when order-processor and the tables are, so check it in each case.
        self.api.healthy().await;
    }

    /// The address of a unit.
    fn service(&self, unit: &str) -> Service {
        let emulator = |url: &str| Service::new(url, self.journal.clone());
        match unit {
            crate::ORDER_API => self.api.clone(),
            crate::ORDER_PROCESSOR => self.processor.clone(),
            crate::REPORTING_CONSUMER => emulator(self.settings.reporting_consumer.as_deref().unwrap_or_default()),
            crate::EMULATOR => emulator(&self.settings.dynamodb),
            crate::MESSAGES => emulator(self.settings.sqs.as_deref().unwrap_or_default()),
            other => panic!("{other} is no service"),
        }
    }
}
