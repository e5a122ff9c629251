//! The stream of a table as the source of a function's events: records in the order of their writes, from a checkpoint on, each until
//! the function has handled it or its retries have ended.
//!
//! [`source::StreamSource`] decides nothing itself: `shard::ShardReader` decides the next request to a shard,
//! `delivery::Delivery` what a function's answer means for a batch. Both are pure. [`service::StreamService`] is the way outside,
//! [`client::AwsStreams`] its implementation over AWS's protocol.

#[cfg(test)]
mod fake;

pub mod checkpoint;
pub mod client;
pub mod delivery;
pub mod record;
pub mod service;
pub mod settings;
pub(crate) mod shard;
pub mod source;
