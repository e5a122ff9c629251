//! order-reporting against a real PostgreSQL, and SQS in this process.

mod apply;
mod consume;
mod function;
mod latency;
mod migrate;
mod orders;
mod postgres;
mod process;
mod reports;
mod tls;
