//! The files of PostgreSQL databases.

mod database;
mod rules;

pub(crate) mod files;
