//! The files of queues, topics and subscriptions, and the seeds of queues.

mod arn;
mod order;
mod queues;
mod seeds;
mod subscriptions;
mod topics;

pub(crate) mod cross;
pub(crate) mod files;
pub(crate) mod reader;
pub(crate) mod rules;
