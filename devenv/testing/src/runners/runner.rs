use devenv_model::event::TestOutcome;

/// Tests that devenv reads of one run. A project with more is told so, and its run counts as failed.
pub const MOST_TESTS: usize = 100_000;

/// A test, as its runner reported it.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    pub name: String,
    pub outcome: TestOutcome,
    pub seconds: Option<f64>,
    /// Output of the test, if it failed.
    pub failure: Option<String>,
    /// The arguments with which the runner runs this test alone, quoted for a shell.
    pub again: Option<String>,
}

impl TestCase {
    pub fn new(name: impl Into<String>, outcome: TestOutcome) -> Self {
        Self { name: name.into(), outcome, seconds: None, failure: None, again: None }
    }

    #[must_use]
    pub(crate) fn lasting(self, seconds: Option<f64>) -> Self {
        Self { seconds, ..self }
    }

    #[must_use]
    pub(crate) fn again(self, arguments: impl Into<String>) -> Self {
        Self { again: Some(arguments.into()), ..self }
    }
}

/// What a line of output is to a runner.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// The result of one test.
    Finished(TestCase),
    /// A line of a test's failure, or of the runner's own bookkeeping.
    Understood,
    Other,
}

/// Everything that a runner reported.
#[derive(Debug, Default, PartialEq)]
pub struct Results {
    pub tests: Vec<TestCase>,
    /// Whether a filter left tests out.
    pub filtered: bool,
    /// Whether there were more tests than [`MOST_TESTS`].
    pub too_many: bool,
}

/// Reads the output of one test runner.
pub trait Runner: Send {
    fn name(&self) -> &'static str;

    /// Reads a line, without its end and without colours.
    fn line(&mut self, line: &str) -> Line;

    /// Whether a line came from this runner beyond doubt.
    fn is_recognised(&self) -> bool;

    /// The results, after the last line.
    fn results(&mut self) -> Results;
}
