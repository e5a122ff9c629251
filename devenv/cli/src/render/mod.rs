//! How events and results look: in a terminal, as plain lines, or as JSON lines.

mod json;
mod log_line;
mod plain;
mod proposal;
mod style;
mod table;
mod tty;

use std::io::IsTerminal;

use devenv_engine::Error;
use devenv_model::event::Event;

use crate::arguments::{Global, Output};
use crate::report::Report;
use crate::run::Outcome;

use proposal::proposal_lines;
pub(crate) use style::Style;
pub(crate) use table::environment_table;

/// Progress, notices and errors go to standard error, data to standard output; JSON goes to standard output whole.
pub(crate) trait Render: Send {
    /// False when nobody reads on.
    fn event(&mut self, event: &Event) -> bool;
    fn outcome(&mut self, command: &str, outcome: &Outcome);
    fn error(&mut self, command: &str, report: &Report, error: &Error);
}

pub(crate) fn choose(global: &Global, style: Style) -> Box<dyn Render> {
    match global.output {
        Output::Json => Box::new(json::Json),
        Output::Auto if is_terminal() && !global.quiet => Box::new(tty::Tty::new(style, global.verbose)),
        Output::Auto | Output::Plain => Box::new(plain::Plain::new(style, global.quiet, global.verbose)),
    }
}

fn is_terminal() -> bool {
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && std::io::stdout().is_terminal() && !dumb && std::env::var_os("CI").is_none()
}
