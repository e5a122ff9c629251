//! order-reporting: counts the events of settled orders in PostgreSQL, each once, and answers with figures per product, customer
//! and day.

mod app;
mod config;
pub mod consume;
pub mod database;
mod day;
mod event;
mod figures;
pub mod lambda;
mod metrics;
mod reports;
mod stored;

pub use app::{IDENTITY, SUBCOMMANDS, application, run};
pub use config::{Config, QueueUrl};
pub use day::Day;
pub use event::{Outcome, Poison, Settlement};
pub use figures::{Figures, Tally};
pub use metrics::ConsumerMetrics;
