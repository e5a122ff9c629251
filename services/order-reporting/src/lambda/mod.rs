//! The consumer as a function of AWS Lambda: its event source mapping takes the messages from the queue, and deletes those that
//! the answer does not name.

mod function;
mod runtime_api;

pub use function::run_function;
