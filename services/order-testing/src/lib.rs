//! Test support for the services: the embedded DynamoDB, SNS and SQS in this process, with the project's own tables, behind
//! proxies that fail on demand.

mod emulator;
mod eventually;
mod faults;
mod malformed;
mod queues;
mod running;
mod serving;
mod sqs;
mod topics;

pub use emulator::{Emulator, IN_STOCK, OTHER_IN_STOCK, aws_config};
pub use eventually::eventually;
pub use faults::Fault;
pub use malformed::{Report, send_malformed};
pub use queues::Queues;
pub use running::Running;
pub use serving::{Serving, serve, service};
pub use topics::{Received, Topics};
