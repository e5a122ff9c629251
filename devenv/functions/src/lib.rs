//! The function host: AWS Lambda on this machine.
//!
//! A function is an ordinary unit whose program speaks Lambda's Runtime API. This host gives each unit an address of that API,
//! answers the Invoke API for the AWS CLI and the SDKs, and feeds functions from their event sources, as a client of the sources' own
//! protocols. It supervises nothing: to end a program that passed its deadline, it asks the supervisor or, in a container, the unit's init.
//! The init is this program too.

mod api;
mod error;
mod events;
mod function;
mod http;
mod init;
mod invocation;
mod leftovers;
mod log_tail;
mod mapping;
mod pool;
mod report;
mod seat;
mod serve;
mod units;

use std::io::Write;

pub use error::Error;
pub use init::run as run_init;
pub use serve::{run, run_until_signalled};

/// Prints a line to the host's log, which the supervisor keeps.
fn say(line: &str) {
    // Nobody reads it once the supervisor was killed.
    let _ = writeln!(std::io::stdout(), "{line}");
}
