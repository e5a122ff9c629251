//! order-api: takes orders, writes each as pending, asks order-processor for the decision, and settles it. The reconciler
//! settles the orders that a crash or an outage left pending.

mod answer;
mod api;
mod app;
mod budget;
mod config;
pub mod discovery;
mod http;
mod insert;
mod metrics;
mod outbox;
mod place;
mod place_error;
mod processor;
mod reconcile;
mod record;
mod round;
mod store;

pub use api::Api;
pub use app::{IDENTITY, run};
pub use config::{Config, ProcessorAddress};
pub use outbox::sweep;
pub use reconcile::{Pace, reconcile};
