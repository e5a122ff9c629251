//! The harness of the end-to-end tests: an environment that `devenv test` has started, and hands on the order system.
//!
//! Everything is told by environment variables: `ORDER_API_URL`, `ORDER_PROCESSOR_URL`, `<SERVICE>_9000_URL` for the
//! metrics, the SDK's own `AWS_*`, and `DEVENV_BIN` with `DEVENV_STATE_DIR` to kill, stop and start units.

mod events;
mod eventually;
mod load;
mod units;
mod world;

pub use eventually::eventually;
pub use load::{Load, Report};
pub use units::Unit;
pub use world::{Answer, World};
