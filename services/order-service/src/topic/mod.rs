//! A topic of SNS to publish to. One call of the Query protocol, signed by the AWS SDK's own parts: the SDK's crate for SNS
//! would cost every first start its compilation (`docs/decisions/0034-the-outbox.md`).

mod answer;
mod arn;
mod client;
mod error;
mod message;

pub use arn::{TopicAddress, TopicArn};
pub use client::Topic;
pub use error::{TopicCause, TopicError};
pub use message::{MOST_MESSAGES, Message};
