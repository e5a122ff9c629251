//! Queues as a client sees them: requests in, replies out, over a real store.

mod batches;
mod client;
mod dead_letters;
mod durability;
mod fifo;
mod query;
mod queues;
mod receiving;
mod sending;
mod times;
mod topics;
