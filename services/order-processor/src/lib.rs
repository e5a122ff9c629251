//! order-processor: takes stock for an order in one atomic step, once per order id.
//!
//! A product is one item of one table, and AWS allows 1,000 write units a second per item. A transactional write costs
//! two, so one product allows roughly 500 orders a second; beyond that, callers receive 503 and retry.

mod app;
mod config;
mod error;
mod ledger;
mod metrics;
mod process;
mod store;

pub use app::{IDENTITY, application, run};
pub use config::Config;
