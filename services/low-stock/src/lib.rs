//! low-stock: a Lambda function behind the stream of the table `inventory`. When the stock of a product falls below its threshold, it
//! publishes `stock.low` to a topic, once for each time that it falls.

mod app;
mod batch;
mod config;
mod crossing;
mod event;
mod handler;
mod record;

pub use app::{IDENTITY, run};
pub use batch::{Answer, Batch};
pub use config::Config;
pub use handler::Handler;
