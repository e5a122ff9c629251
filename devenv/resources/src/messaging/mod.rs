//! Queues, topics and subscriptions, over the wire protocols of SQS and SNS.
//!
//! `queue_service` and `topic_service` have the narrow traits of the two services; the code above them is tested with the
//! services in memory of `fake`.

mod difference;
#[cfg(test)]
mod fake;
mod queue_service;
mod sqs;
#[cfg(test)]
mod tests;

pub mod depth;
pub mod queues;
pub mod redrive;
pub(crate) mod sns;
pub(crate) mod subscriptions;
pub(crate) mod topic_service;
pub(crate) mod topics;
