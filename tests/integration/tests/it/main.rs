//! The order system, end to end, as its clients see it: a file for each behaviour of the contract.

mod canary;
mod crashes;
mod events;
mod health;
mod idempotency;
mod metrics;
mod orders;
mod outages;
mod pages;
mod processing;
mod refusals;
mod stock;
