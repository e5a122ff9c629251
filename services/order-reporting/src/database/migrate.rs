//! The versions of the schema, each as a file of SQL in this program.

use std::time::Duration;

use aws_config::SdkConfig;
use backon::{ExponentialBuilder, Retryable};
use tokio_postgres::Client;

use super::{connect::Dial, error::StoreError, settings::DatabaseSettings};

/// A step from one version of the schema to the next.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub name: &'static str,
    pub sql: &'static str,
}

/// All migrations, in order. The version of a schema is the number of migrations that it has had, so none may be removed or changed.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_figures", sql: include_str!("../../migrations/0001_figures.sql") }];

/// The lock of migrations in a database: "orders" in bytes.
const LOCK: i64 = 0x6f72_6465_7273;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    #[error(
        "the database has version {database} of the schema, and this program knows {known}; run a newer order-reporting"
    )]
    Newer { database: i64, known: i64 },
    #[error("migration {name}: {cause}; nothing was changed")]
    Failed { name: &'static str, cause: StoreError },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<tokio_postgres::Error> for MigrateError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Brings the schema to the version of this program, and returns the names of the migrations that it lacked. Waits half a minute
/// for a server that does not answer yet.
pub async fn migrate(settings: &DatabaseSettings, aws: &SdkConfig) -> Result<Vec<&'static str>, MigrateError> {
    let dial = Dial::new(settings, aws);
    let pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(2))
        .with_max_times(18);
    let connected =
        (|| async { dial.unlimited().await.map_err(StoreError::from) }).retry(pauses).sleep(tokio::time::sleep);
    let (mut client, connection) = connected.await?;
    let applied = with_migrations(&mut client, MIGRATIONS).await;
    drop(client);
    // The connection ends with its client.
    drop(connection.await);
    applied
}

/// Applies the missing ones of `migrations`, all or none.
pub async fn with_migrations(client: &mut Client, migrations: &[Migration]) -> Result<Vec<&'static str>, MigrateError> {
    let transaction = client.transaction().await?;
    // Another program that migrates at the same time is awaited, and has then done all.
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    transaction
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (
                 version bigint PRIMARY KEY,
                 name text NOT NULL,
                 applied_at timestamptz NOT NULL DEFAULT now()
             )",
        )
        .await?;
    let row = transaction.query_one("SELECT coalesce(max(version), 0) FROM schema_migrations", &[]).await?;
    let (database, known) = (row.get::<_, i64>(0), i64::try_from(migrations.len()).unwrap_or(i64::MAX));
    if database > known {
        return Err(MigrateError::Newer { database, known });
    }
    let mut applied = Vec::new();
    for (version, migration) in (1_i64..).zip(migrations).filter(|(version, _)| *version > database) {
        let failed = |error: tokio_postgres::Error| MigrateError::Failed { name: migration.name, cause: error.into() };
        transaction.batch_execute(migration.sql).await.map_err(failed)?;
        let insert = "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)";
        transaction.execute(insert, &[&version, &migration.name]).await?;
        applied.push(migration.name);
    }
    transaction.commit().await?;
    Ok(applied)
}
