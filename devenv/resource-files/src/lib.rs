//! Reads the files of AWS resources, each the input of one API call, and the seeds beside them; gives every mistake its place.
//!
//! Everything works on texts in memory; `devenv-manifest` finds the files and joins the result with the rest of the project.

mod attribute_value;
mod databases;
mod functions;
mod messaging;
mod read;
mod seeds;
mod table_keys;
mod table_stream;
mod tables;

pub use databases::files::ReadDatabases;
pub use functions::files::ReadFunctions;
pub use messaging::files::ReadMessaging;
pub use read::{ReadResources, ResourceFiles, read};
