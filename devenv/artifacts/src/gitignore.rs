//! The files of a project that match patterns and that `.gitignore` does not name.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;
use regex_lite::Regex;

use crate::pattern::{compile, fixed_parts, may_hold};
use crate::tree::{Filter, Found, Kind, Verdict, WalkError, walk};

const LARGEST: u64 = 1 << 20;
/// Folders that hold no source of a project.
const NEVER: [&str; 2] = [".git", ".devenv"];

/// Lists the files and links below `root` that match one of the patterns.
pub fn matching(root: &Utf8Path, patterns: &[String]) -> Result<Vec<Found>, WalkError> {
    let compiled = patterns.iter().map(|pattern| {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let fixed = fixed_parts(pattern).into_iter().map(str::to_owned).collect();
        Ok(Wanted { pattern: compile(pattern)?, below: compile(&format!("{pattern}/**"))?, fixed })
    });
    let wanted = compiled.collect::<Result<Vec<Wanted>, String>>().map_err(WalkError::Pattern)?;
    let filter = Sources { root: root.to_owned(), wanted };
    let found = walk(root, &filter)?;
    Ok(found.into_iter().filter(|found| found.kind != Kind::Folder).collect())
}

struct Sources {
    root: Utf8PathBuf,
    wanted: Vec<Wanted>,
}

struct Wanted {
    pattern: Regex,
    /// A folder's name stands for everything in it.
    below: Regex,
    fixed: Vec<String>,
}

/// The lists of a folder and of those above it, the nearest last.
#[derive(Clone, Default)]
pub(crate) struct Lists(Vec<Arc<List>>);

/// The patterns of one `.gitignore`.
struct List {
    /// The list's folder with a final `/`; empty for the root.
    folder: String,
    rules: Vec<Rule>,
}

struct Rule {
    pattern: Regex,
    includes: bool,
    only_folders: bool,
}

impl Sources {
    /// The lists for the files of a folder. An unreadable list is as good as none, as for git.
    fn lists(&self, above: &Lists, folder: &str) -> Lists {
        let path = self.root.join(folder).join(".gitignore");
        let Some(text) = input::read(&path, LARGEST).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return above.clone();
        };
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let list = List { folder, rules: text.lines().filter_map(rule).collect() };
        let mut lists = above.0.clone();
        lists.push(Arc::new(list));
        Lists(lists)
    }
}

fn rule(line: &str) -> Option<Rule> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (includes, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
    let only_folders = line.ends_with('/');
    let line = line.trim_end_matches('/');
    // A pattern with a slash belongs to the list's own folder; one without, to every folder below.
    let pattern = match line.strip_prefix('/') {
        Some(rest) => rest.to_owned(),
        None if line.contains('/') => line.to_owned(),
        None => format!("**/{line}"),
    };
    Some(Rule { pattern: compile(&pattern).ok()?, includes, only_folders })
}

impl Lists {
    fn ignore(&self, path: &str, is_folder: bool) -> bool {
        let rules = self.0.iter().flat_map(|list| {
            let within = path.strip_prefix(list.folder.as_str()).unwrap_or(path);
            list.rules.iter().map(move |rule| (rule, within))
        });
        let last =
            rules.filter(|(rule, within)| (is_folder || !rule.only_folders) && rule.pattern.is_match(within)).last();
        last.is_some_and(|(rule, _)| !rule.includes)
    }
}

impl Filter for Sources {
    type State = Lists;

    fn root(&self) -> Lists {
        self.lists(&Lists::default(), "")
    }

    fn look(&self, folder: &Lists, path: &str, is_folder: bool) -> Verdict<Lists> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if (is_folder && NEVER.contains(&name)) || folder.ignore(path, is_folder) {
            return Verdict { counts: false, within: None };
        }
        let counts =
            self.wanted.iter().any(|wanted| wanted.pattern.is_match(path) || wanted.below.is_match(path)) && !is_folder;
        let goes_in = is_folder && self.wanted.iter().any(|wanted| may_hold(path, &wanted.fixed));
        Verdict { counts, within: goes_in.then(|| self.lists(folder, path)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(files: &[(&str, &str)], patterns: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for (file, text) in files {
            std::fs::create_dir_all(root.join(file).parent().expect("below the root")).expect("writable");
            std::fs::write(root.join(file), text).expect("writable");
        }
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        matching(root, &patterns).expect("readable").into_iter().map(|found| found.path).collect()
    }

    #[test]
    fn patterns_choose_files_and_a_folder_stands_for_its_files() {
        let files = [("src/a.py", ""), ("src/deep/b.py", ""), ("src/c.txt", ""), ("package.json", ""), ("other", "")];
        assert_eq!(
            matched(&files, &["src/**", "package.json"]),
            ["package.json", "src/a.py", "src/c.txt", "src/deep/b.py"]
        );
        assert_eq!(matched(&files, &["**/*.py"]), ["src/a.py", "src/deep/b.py"]);
        assert_eq!(matched(&files, &["src/deep/"]), ["src/deep/b.py"]);
        assert_eq!(matched(&files, &["absent/**"]), [""; 0]);
    }

    #[test]
    fn what_version_control_ignores_does_not_count() {
        let files = [
            (".gitignore", "*.pyc\n/build/\n# a comment\nnode_modules/\n!keep.pyc\n"),
            ("src/a.py", ""),
            ("src/a.pyc", ""),
            ("src/keep.pyc", ""),
            ("src/build/x", ""),
            ("src/node_modules/y", ""),
            ("src/.gitignore", "secret\ndeep/*.txt\n"),
            ("src/secret", ""),
            ("src/deep/z.txt", ""),
            ("src/deep/more/z.txt", ""),
            ("build/x", ""),
            (".git/HEAD", ""),
            (".devenv/state.json", ""),
        ];
        let expected =
            [".gitignore", "src/.gitignore", "src/a.py", "src/build/x", "src/deep/more/z.txt", "src/keep.pyc"];
        assert_eq!(matched(&files, &["**"]), expected);
    }
}
