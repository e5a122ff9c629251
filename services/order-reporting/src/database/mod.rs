//! The database: its settings, connections, sign-in and errors.

mod apply;
mod connect;
mod error;
mod migrate;
mod settings;
mod store;
mod tls;
mod token;

pub use apply::Applied;
pub use error::StoreError;
pub use migrate::{MIGRATIONS, MigrateError, Migration, migrate, with_migrations};
pub use settings::DatabaseSettings;
pub use store::Store;
