//! The reports: parameters, rows, answers.

mod handlers;
mod rows;
mod wanted;

pub(crate) use handlers::{customer, daily, products};
