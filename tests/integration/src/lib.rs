//! The harness of the end-to-end tests: clients of a running order system, access to its tables, and the means to disturb
//! it. `cargo devenv test` starts the system and passes its addresses in environment variables ([`Settings`]).
//!
//! A test passes its body to [`undisturbed`] or [`alone`]. It creates its own products and customers, so any number of tests
//! can run at the same time, in one process or in many. Only tests that stop or kill units run alone.

mod answer;
mod bundle;
mod environment;
mod eventually;
mod falls;
mod invariant;
mod journal;
mod load;
mod metrics;
mod progress;
mod queue;
mod run;
mod service;
mod settings;
mod signed;
mod stock_events;
mod tables;
mod turn;
mod units;

pub use answer::Answer;
pub use environment::{Environment, PRICE};
pub use eventually::eventually;
pub use falls::{Fallen, Falls};
pub use invariant::{nothing_is_lost, nothing_is_pending};
pub use load::{Effort, Load, Patience, Tally, persist};
pub use metrics::{Metrics, Series};
pub use queue::{Depth, Queue, Received};
pub use run::{alone, shared, undisturbed};
pub use service::{CANARY, Service, order};
pub use settings::Settings;
pub use stock_events::{StockEvent, StockEvents};
pub use tables::{StoredOrder, Tables};
pub use units::{
    EMULATOR, FUNCTION_HOST, LOW_STOCK, MESSAGES, ORDER_API, ORDER_PROCESSOR, REPORTING_CONSUMER, REPORTING_DATABASE,
    Units,
};
