//! The files of queues, topics and subscriptions, and the seeds of queues.

mod arn;
mod cross;
mod order;
mod queues;
mod reader;
mod rules;
mod seeds;
mod subscriptions;
mod topics;

pub(crate) mod files;
