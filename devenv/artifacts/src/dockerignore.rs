//! `.dockerignore`: which files of a folder a build sees.

use camino::{Utf8Path, Utf8PathBuf};
use regex_lite::Regex;

use crate::pattern::{compile, fixed_parts, may_hold};
use crate::tree::{Filter, Verdict};

/// The most patterns of a file.
const MOST_RULES: usize = 2000;

#[derive(Debug, Default)]
pub(crate) struct DockerIgnore {
    rules: Vec<Rule>,
    /// The paths that a builder needs, whatever the patterns.
    kept: Vec<String>,
    /// Absolute paths that never count.
    left_out: Vec<Utf8PathBuf>,
    root: Utf8PathBuf,
}

#[derive(Debug)]
struct Rule {
    pattern: Regex,
    /// Whether the pattern brings files back.
    includes: bool,
    fixed: Vec<String>,
}

impl DockerIgnore {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let line = line.trim();
            let (includes, written) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let cleaned = clean(written);
            if cleaned.is_empty() {
                if includes && written.is_empty() {
                    return Err("a line has only a `!`".to_owned());
                }
                continue;
            }
            if rules.len() == MOST_RULES {
                return Err(format!("it has more than {MOST_RULES} patterns"));
            }
            let fixed = fixed_parts(&cleaned).into_iter().map(str::to_owned).collect();
            rules.push(Rule { pattern: compile(&cleaned)?, includes, fixed });
        }
        Ok(Self { rules, ..Self::default() })
    }

    /// Keeps `kept`, relative to `root`, and leaves out absolute paths.
    pub(crate) fn within(self, root: &Utf8Path, kept: Vec<String>, left_out: &[Utf8PathBuf]) -> Self {
        Self { root: root.to_owned(), kept, left_out: left_out.to_vec(), ..self }
    }

    fn leads_to_kept(&self, folder: &str) -> bool {
        self.kept.iter().any(|kept| kept.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// Joins the parts of a pattern anew: without empty ones and `.`, with each `..` resolved.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// A pattern that matches a folder matches everything below it: the state has one truth per pattern.
impl Filter for DockerIgnore {
    type State = Vec<bool>;

    fn root(&self) -> Self::State {
        vec![false; self.rules.len()]
    }

    fn look(&self, folder: &Self::State, path: &str, is_folder: bool) -> Verdict<Self::State> {
        if !self.left_out.is_empty() && self.left_out.contains(&self.root.join(path)) {
            return Verdict { counts: false, within: None };
        }
        let matching: Vec<bool> =
            self.rules.iter().zip(folder).map(|(rule, above)| *above || rule.pattern.is_match(path)).collect();
        let last = self.rules.iter().zip(&matching).rfind(|(_, matches)| **matches);
        let is_ignored = last.is_some_and(|(rule, _)| !rule.includes);
        let counts = !is_ignored || self.kept.iter().any(|kept| kept == path);
        let returns = || self.rules.iter().any(|rule| rule.includes && may_hold(path, &rule.fixed));
        let goes_in = is_folder && (!is_ignored || returns() || self.leads_to_kept(path));
        Verdict { counts, within: goes_in.then_some(matching) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::walk;

    const FILES: [&str; 9] = [
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "app.py",
        "docs/a.md",
        "docs/keep.md",
        "node_modules/x/index.js",
        "src/deep/test_a.py",
        "src/main.py",
    ];

    /// The files that a build sees under these patterns.
    fn seen(patterns: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for file in FILES {
            std::fs::create_dir_all(root.join(file).parent().expect("below the root")).expect("writable");
            std::fs::write(root.join(file), "").expect("writable");
        }
        let ignore = DockerIgnore::parse(patterns).expect("no mistake").within(root, Vec::new(), &[]);
        let found = walk(root, &ignore).expect("readable").into_iter();
        found.map(|found| found.path).filter(|path| FILES.contains(&path.as_str())).collect()
    }

    fn without(gone: &[&str]) -> Vec<String> {
        FILES.iter().filter(|file| !gone.contains(file)).map(|file| (*file).to_owned()).collect()
    }

    #[test]
    fn patterns_leave_out_as_docker_does() {
        for (patterns, gone) in [
            ("", &[][..]),
            ("# README.md\n\n", &[]),
            ("*.md", &["README.md"]),
            ("**/*.md", &["README.md", "docs/a.md", "docs/keep.md"]),
            ("/docs/", &["docs/a.md", "docs/keep.md"]),
            ("./docs/../docs", &["docs/a.md", "docs/keep.md"]),
            ("docs\n!docs/keep.md", &["docs/a.md"]),
            ("docs\n!docs/keep.md\ndocs/*.md", &["docs/a.md", "docs/keep.md"]),
            ("node_modules", &["node_modules/x/index.js"]),
            ("**/test_*.py", &["src/deep/test_a.py"]),
            ("src/*/test_?.py", &["src/deep/test_a.py"]),
            ("  app.py  ", &["app.py"]),
            ("src\n!**/main.py", &["src/deep/test_a.py"]),
            ("a pp.py\n#app.py", &[]),
        ] {
            assert_eq!(seen(patterns), without(gone), "{patterns:?}");
        }
        assert_eq!(seen("*\n!app.py"), ["app.py"]);
        assert_eq!(seen("**"), [""; 0]);
    }

    #[test]
    fn a_line_that_is_no_pattern_is_refused() {
        for wrong in ["!", "[a", "a\\"] {
            assert!(DockerIgnore::parse(wrong).is_err(), "{wrong}");
        }
        assert!(DockerIgnore::parse(&"a\n".repeat(MOST_RULES + 1)).is_err());
    }

    #[test]
    fn a_folder_that_no_build_can_mean_is_refused() {
        use crate::tree::WalkError;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let data = std::fs::File::create(root.join("data")).expect("writable");
        data.set_len(5 << 30).expect("a file may have holes");
        let refused = walk(root, &DockerIgnore::default());
        assert!(matches!(&refused, Err(WalkError::TooLarge { path }) if path == root), "{refused:?}");
        let without = DockerIgnore::parse("data").expect("no mistake").within(root, Vec::new(), &[]);
        assert!(walk(root, &without).expect("small").is_empty());
        std::fs::remove_file(root.join("data")).expect("it is there");
        std::fs::create_dir_all(root.join("d/".repeat(140))).expect("writable");
        assert!(matches!(walk(root, &DockerIgnore::default()), Err(WalkError::TooDeep { .. })));
    }

    #[test]
    fn what_the_builder_needs_stays_and_what_is_ours_does_not() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for file in ["build/Dockerfile", "build/other", ".devenv/log", "a"] {
            std::fs::create_dir_all(root.join(file).parent().expect("below the root")).expect("writable");
            std::fs::write(root.join(file), "").expect("writable");
        }
        let kept = vec!["build/Dockerfile".to_owned()];
        let ignore = DockerIgnore::parse("build").expect("no mistake").within(root, kept, &[root.join(".devenv")]);
        let found: Vec<String> = walk(root, &ignore).expect("readable").into_iter().map(|found| found.path).collect();
        assert_eq!(found, ["a", "build/Dockerfile"]);
    }
}
