//! The journal of an environment's runs. Each command that changes something writes its events, the lines of `--output json`, into a
//! file of its own; `devenv runs` and other readers find every plan with its causes, every test and every promotion there.

mod error;
mod limits;
mod reader;
mod run;
mod writer;

pub use error::Error;
pub use reader::{find, lines, list, read};
pub use run::{Ended, Run, RunState, Started};
pub use writer::Journal;
