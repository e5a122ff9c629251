pub(crate) mod open;
pub(crate) mod schema;
pub(crate) mod sqlite_file;
pub(crate) mod transaction;
pub(crate) mod upkeep;
pub(crate) mod wakes;
pub(crate) mod writer;
