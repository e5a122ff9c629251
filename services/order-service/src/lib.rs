//! The common parts of the order system's services: start and stop, configuration, logs, metrics, probes, error answers and the
//! clients of AWS. Of orders it knows only the description of an invalid request.

pub mod aws;
pub mod body;
pub mod causes;
pub mod config;
pub mod dynamodb;
mod failure;
mod health;
mod identity;
mod lifecycle;
mod logging;
mod metrics;
mod observe;
pub mod page;
mod probe;
mod process;
mod router;
mod server;
mod token;
pub mod topic;
mod trace;

pub use failure::{Failure, code};
pub use health::{Dependencies, HealthFailure};
pub use identity::{Identity, Service};
pub use lifecycle::{Lifecycle, Work};
pub use metrics::Metrics;
pub use process::{Subcommand, function, main, main_with};
pub use router::router;
pub use server::{Listeners, StartError, serve, signalled};
pub use token::WithoutToken;
pub use trace::{TraceContext, current as current_trace, scope as with_trace};
