//! The operations of SQS and SNS with their inputs and outputs, as data that the protocols read.

pub mod queues;
pub mod shape;
pub mod topics;
