//! order-reporting against a real PostgreSQL, and SQS in this process; its consumer also against both in memory.

mod apply;
mod consume;
mod consumer;
mod function;
mod latency;
mod migrate;
mod orders;
mod postgres;
mod process;
mod reports;
mod tls;
