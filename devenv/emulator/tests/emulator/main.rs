//! The real program: its tables, its queues, its end.

mod messages;
mod program;
mod streams;
mod tables;
mod topics;
