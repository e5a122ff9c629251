use super::go_json::GoJson;
use super::go_text::GoText;
use super::jest::Jest;
use super::libtest::Libtest;
use super::nextest::Nextest;
use super::pytest::Pytest;
use super::runner::{Line, Results, Runner};
use super::vitest::Vitest;

/// The runner on the left starts the one on the right, whose output then repeats tests of its own.
const WRAPPED: [(&str, &str); 2] = [("nextest", "libtest"), ("go test -json", "go test")];

/// Runners whose programs compile first, and that are recognised before their first test. The others are recognised at their end.
const COMPILING: [&str; 2] = ["libtest", "nextest"];

/// Every runner that devenv understands, reading the same lines: a command may run several, one after another.
pub struct EveryRunner(Vec<Box<dyn Runner>>);

impl Default for EveryRunner {
    fn default() -> Self {
        Self(vec![
            Box::<Libtest>::default(),
            Box::<Nextest>::default(),
            Box::<Pytest>::default(),
            Box::<Jest>::default(),
            Box::<Vitest>::default(),
            Box::<GoText>::default(),
            Box::<GoJson>::default(),
        ])
    }
}

impl EveryRunner {
    /// What the line is to the first runner that understands it.
    pub fn line(&mut self, line: &str) -> Line {
        let mut found = Line::Other;
        for runner in &mut self.0 {
            let read = runner.line(line);
            if found == Line::Other || (found == Line::Understood && matches!(read, Line::Finished(_))) {
                found = read;
            }
        }
        found
    }

    /// Whether the first test has begun, of a runner that announces it after a compilation.
    pub fn has_compiled(&self) -> bool {
        self.0.iter().any(|runner| COMPILING.contains(&runner.name()) && runner.is_recognised())
    }

    pub fn is_recognised(&self) -> bool {
        self.0.iter().any(|runner| runner.is_recognised())
    }

    /// The recognised runners' names, and all their results.
    pub fn results(&mut self) -> (Vec<&'static str>, Results) {
        let recognised: Vec<&str> =
            self.0.iter().filter(|runner| runner.is_recognised()).map(|runner| runner.name()).collect();
        let is_wrapped = |name: &str| WRAPPED.iter().any(|(outer, inner)| *inner == name && recognised.contains(outer));
        let (mut names, mut all) = (Vec::new(), Results::default());
        for runner in &mut self.0 {
            if !runner.is_recognised() || is_wrapped(runner.name()) {
                continue;
            }
            names.push(runner.name());
            let results = runner.results();
            all.tests.extend(results.tests);
            all.filtered |= results.filtered;
            all.too_many |= results.too_many;
        }
        (names, all)
    }
}
