//! Filter policies of SNS subscriptions: reading, checking and matching, without input or output. The emulator applies them, and
//! whoever reads a subscription from a file can check it with them.

mod condition;
mod error;
mod limits;
mod matching;
mod network;
mod numeric;
mod parse;
mod policy;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod wildcard;

pub use error::{FilterError, Path, Step};
pub use matching::attribute_value;
pub use policy::{FilterPolicy, Scope};
