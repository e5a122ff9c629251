use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use deadpool_postgres::{Client, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use order_service::{HealthFailure, StartError};
use tokio_postgres::{Row, types::ToSql};

use super::{
    apply::{Applied, apply},
    connect::Dial,
    error::StoreError,
    settings::DatabaseSettings,
};
use crate::event::Settlement;

/// The time limit for one use of the database. A session's own limits are shorter, so that the server usually ends first.
const LIMIT: Duration = Duration::from_secs(10);

/// The time limit for a free connection, and for a new one.
const CONNECTION: Duration = Duration::from_secs(3);

/// The stored figures, over a bounded number of connections.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
}

impl Store {
    /// Makes a store without connecting: a database that starts later is found later.
    pub fn new(settings: &DatabaseSettings, aws: &SdkConfig, connections: usize) -> Result<Self, StartError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(settings.server.clone(), Dial::new(settings, aws), recycling);
        let pool = Pool::builder(manager)
            .max_size(connections)
            .wait_timeout(Some(CONNECTION))
            .create_timeout(Some(CONNECTION))
            .recycle_timeout(Some(CONNECTION))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StartError::Other(error.to_string()))?;
        Ok(Self { pool })
    }

    /// Adds a batch of events to the figures in one transaction.
    pub async fn apply(&self, batch: &[Settlement]) -> Result<Applied, StoreError> {
        let mut client = self.pool.get().await?;
        let applied = limited(apply(&mut client, batch)).await;
        kept(client, applied)
    }

    /// Reads rows.
    pub(crate) async fn rows(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        let started = Instant::now();
        loop {
            let client = self.pool.get().await?;
            let read = async {
                let statement = client.prepare_cached(query).await?;
                client.query(&statement, parameters).await
            };
            let read = limited(read).await;
            // After a restart of the server each connection of the pool is broken, and only its use shows that.
            let is_stale = read.is_err() && client.is_closed() && started.elapsed() < CONNECTION;
            let read = kept(client, read);
            if !is_stale {
                return read;
            }
        }
    }

    /// Checks that the database answers and has tables.
    pub async fn answers(&self) -> Result<(), HealthFailure> {
        let read = self.rows("SELECT event_id FROM processed_events LIMIT 1", &[]).await;
        read.map(drop).map_err(|error| HealthFailure { dependency: "database".to_owned(), reason: error.to_string() })
    }

    /// Returns the number of connections in use, and the largest number.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let status = self.pool.status();
        (status.size.saturating_sub(status.available), status.max_size)
    }
}

async fn limited<T>(work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(done) => done.map_err(StoreError::from),
        Err(_) => Err(StoreError::Timeout(LIMIT)),
    }
}

/// Returns a connection to the pool after a success. After an error its state is unknown, and it is closed.
fn kept<T>(client: Client, done: Result<T, StoreError>) -> Result<T, StoreError> {
    if done.is_err() {
        drop(Object::take(client));
    }
    done
}
