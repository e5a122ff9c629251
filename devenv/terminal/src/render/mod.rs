//! Renders events and results: for a terminal, as plain lines, or as JSON lines.

mod json;
mod log_line;
mod mistake;
mod plain;
mod proposal;
mod style;
mod table;
mod tty;

use std::io::{self, IsTerminal};

use devenv_model::event::Event;
use proposal::proposal_lines;

use crate::arguments::{Global, Output};
use crate::outcome::Outcome;
use crate::report::Failure;

pub use style::Style;
pub use table::environment_table;

/// Progress, notices and errors go to standard error, data to standard output; JSON goes to standard output whole.
pub trait Render: Send {
    /// Returns an error if standard output takes no more, also because its reader is gone.
    fn event(&mut self, event: &Event) -> io::Result<()>;
    fn outcome(&mut self, command: &str, outcome: &Outcome) -> io::Result<()>;
    fn error(&mut self, command: &str, failure: &Failure);
}

pub fn choose(global: &Global, style: Style) -> Box<dyn Render> {
    match global.output {
        Output::Json => Box::new(json::Json),
        Output::Auto if is_terminal() && !global.quiet => Box::new(tty::Tty::new(style, global.verbose)),
        Output::Auto | Output::Plain => Box::new(plain::Plain::new(style, global.quiet, global.verbose)),
    }
}

fn is_terminal() -> bool {
    let both = io::stderr().is_terminal() && io::stdout().is_terminal();
    both && !style::is_dumb() && std::env::var_os("CI").is_none()
}
