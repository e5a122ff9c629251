//! The files of queues, topics and subscriptions, and the seeds of queues.

mod arn;
mod cross;
mod order;
mod queues;
mod rules;
mod seeds;
mod subscriptions;
mod topics;

pub(crate) mod files;
pub(crate) mod reader;
