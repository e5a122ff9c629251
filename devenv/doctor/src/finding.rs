use serde::Serialize;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub state: State,
    pub message: String,
    pub fix: Option<Fix>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    /// No command fails because of it.
    Warning,
    /// `up` or `test` will fail.
    Problem,
}

/// A command that fixes the finding when it is run as printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    pub command: String,
    /// Whether `doctor --fix` may run the command: it changes nothing outside the project.
    pub safe: bool,
}

impl Finding {
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, state: State::Ok, message: message.into(), fix: None }
    }

    pub fn problem(check: &'static str, message: impl Into<String>, fix: &str, safe: bool) -> Self {
        let fix = Some(Fix { command: fix.to_owned(), safe });
        Self { check, state: State::Problem, message: message.into(), fix }
    }

    pub fn warning(check: &'static str, message: impl Into<String>, fix: Option<&str>) -> Self {
        let fix = fix.map(|command| Fix { command: command.to_owned(), safe: false });
        Self { check, state: State::Warning, message: message.into(), fix }
    }
}
