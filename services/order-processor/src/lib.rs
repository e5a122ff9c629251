//! order-processor: takes stock for an order in one atomic step, once for each order id.

mod app;
mod config;
mod ledger;
mod metrics;
mod process;
mod store;

pub use app::{IDENTITY, application, run};
pub use config::Config;
