//! What a target's bucket keeps of its promotions: a record of each with its files, the pointer to the live release, and the lease
//! that lets one run at a time change the target.

#[cfg(test)]
mod bucket_tests;
mod clock;
mod error;
mod lease;
mod ledger;
mod retry;

pub mod open_record;

pub use clock::{SystemClock, WallClock};
pub use error::Error;
pub use lease::HeldLease;
pub use ledger::{Ledger, Survey};
pub use open_record::OpenRecord;
pub use retry::retry;
