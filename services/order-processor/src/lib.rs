//! order-processor: takes stock for an order in one atomic step, once for each order id.
//!
//! A product is one item of one table, and in AWS an item takes 1,000 write units a second. A transactional write costs
//! two, so one product takes roughly 500 orders a second; beyond that callers read 503 and come again.

mod app;
mod config;
mod error;
mod ledger;
mod metrics;
mod process;
mod store;
mod token;

pub use app::{IDENTITY, application, run};
pub use config::Config;
