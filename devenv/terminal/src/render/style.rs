use std::io::IsTerminal;

use crate::arguments::{Color, Global, Output};

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub colour: bool,
}

/// Influences on colours beside the command line.
#[derive(Debug, Clone, Copy)]
struct Surroundings {
    no_colour: bool,
    forced: bool,
    /// Whether both streams are a terminal with colours.
    terminal: bool,
}

fn is_coloured(wish: Color, output: Output, surroundings: Surroundings) -> bool {
    match wish {
        _ if output == Output::Json => false,
        Color::Always => true,
        Color::Never => false,
        Color::Auto if surroundings.no_colour => false,
        Color::Auto if surroundings.forced => true,
        Color::Auto => output == Output::Auto && surroundings.terminal,
    }
}

/// Whether the terminal shows only text, such as the shell of an editor.
pub(super) fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

impl Style {
    pub fn choose(global: &Global) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let surroundings = Surroundings {
            no_colour: set("NO_COLOR"),
            forced: set("CLICOLOR_FORCE"),
            terminal: std::io::stdout().is_terminal() && std::io::stderr().is_terminal() && !is_dumb(),
        };
        Self { colour: is_coloured(global.color, global.output, surroundings) }
    }

    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Pads a name and paints it; a name always gets the same colour.
    pub fn name(self, name: &str, width: usize) -> String {
        const COLOURS: [&str; 5] = ["36", "35", "34", "33", "32"];
        let sum: usize = name.bytes().map(usize::from).sum();
        self.paint(COLOURS[sum % COLOURS.len()], &format!("{name:<width$}"))
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_know_them() {
        let plain = Surroundings { no_colour: false, forced: false, terminal: false };
        let terminal = Surroundings { terminal: true, ..plain };
        assert!(is_coloured(Color::Auto, Output::Auto, terminal));
        assert!(!is_coloured(Color::Auto, Output::Auto, plain));
        assert!(!is_coloured(Color::Auto, Output::Plain, terminal));
        assert!(!is_coloured(Color::Auto, Output::Auto, Surroundings { no_colour: true, forced: true, ..terminal }));
        assert!(is_coloured(Color::Auto, Output::Auto, Surroundings { forced: true, ..plain }));
        assert!(is_coloured(Color::Always, Output::Auto, plain));
        assert!(!is_coloured(Color::Always, Output::Json, terminal));
    }
}
