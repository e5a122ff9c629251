//! order-api: takes orders, writes each as pending, has order-processor decide on it, and settles it; what is left
//! unsettled by a crash or an outage, the reconciler settles.

mod answer;
mod api;
mod app;
mod budget;
mod config;
pub mod discovery;
mod http;
mod insert;
mod metrics;
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
pub use reconcile::{Pace, reconcile};
