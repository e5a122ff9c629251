//! The routes of the API.

mod create;
mod list;
mod read;

pub(crate) use create::create;
pub(crate) use list::list;
pub(crate) use read::read;
