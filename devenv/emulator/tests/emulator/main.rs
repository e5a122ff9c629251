//! The real program: its tables, its queues, its end.

mod messages;
mod program;
mod tables;
mod topics;
