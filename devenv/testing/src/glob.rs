//! Files by a pattern such as `reports/*.xml`: `*` and `?` within a name, `**` for any number of folders.

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::pattern;
use regex_lite::Regex;

/// Entries of folders to look at.
const MOST_ENTRIES: usize = 100_000;
/// Folders within folders to enter.
const DEEPEST: usize = 32;
/// Folders that hold no reports, but very many files.
const SKIPPED: [&str; 2] = [".git", "node_modules"];

/// The regular files below `folder` that match, in order. Symbolic links to folders are not followed.
pub(crate) fn files(folder: &Utf8Path, pattern: &str) -> Result<Vec<Utf8PathBuf>, String> {
    let parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts = parts.map(Part::parse).collect::<Result<Vec<_>, _>>()?;
    let mut search = Search { found: Vec::new(), seen: 0 };
    search.enter(folder, &parts, DEEPEST)?;
    search.found.sort();
    search.found.dedup();
    Ok(search.found)
}

/// A part of a pattern, between two `/`.
enum Part {
    /// `**`
    AnyFolders,
    Name(Regex),
}

impl Part {
    fn parse(part: &str) -> Result<Self, String> {
        if part == "**" { Ok(Self::AnyFolders) } else { pattern::compile(part).map(Self::Name) }
    }
}

struct Search {
    found: Vec<Utf8PathBuf>,
    seen: usize,
}

impl Search {
    fn enter(&mut self, folder: &Utf8Path, parts: &[Part], deepest: usize) -> Result<(), String> {
        let Some((first, rest)) = parts.split_first() else { return Ok(()) };
        let Some(deepest) = deepest.checked_sub(1) else { return Ok(()) };
        if matches!(first, Part::AnyFolders) {
            self.enter(folder, rest, deepest)?;
        }
        for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
            self.seen += 1;
            if self.seen > MOST_ENTRIES {
                return Err(format!("there are more than {MOST_ENTRIES} files to look at"));
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            match first {
                Part::AnyFolders if kind.is_dir() && !SKIPPED.contains(&name) => {
                    self.enter(entry.path(), parts, deepest)?;
                }
                Part::Name(pattern) if kind.is_dir() && pattern.is_match(name) => {
                    self.enter(entry.path(), rest, deepest)?;
                }
                Part::Name(pattern) if rest.is_empty() && pattern.is_match(name) && entry.path().is_file() => {
                    self.found.push(entry.into_path());
                }
                Part::AnyFolders | Part::Name(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_as_the_pattern_says() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for path in ["a/reports/1.xml", "a/b/reports/2.xml", "reports/3.xml", "node_modules/reports/4.xml", "5.xml"] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(path, "").expect("writable");
        }
        let of = |pattern| -> Vec<String> {
            let found = files(root, pattern).expect("few files");
            found.iter().map(|path| path.strip_prefix(root).expect("below").to_string()).collect()
        };
        assert_eq!(of("reports/*.xml"), ["reports/3.xml"]);
        assert_eq!(of("./*/reports/*.xml"), ["a/reports/1.xml", "node_modules/reports/4.xml"]);
        assert_eq!(of("**/reports/*.xml"), ["a/b/reports/2.xml", "a/reports/1.xml", "reports/3.xml"]);
        assert_eq!(of("*.xml"), ["5.xml"]);
        assert_eq!(of("absent/*.xml"), Vec::<String>::new());
        assert!(files(root, "reports/[*.xml").is_err(), "a bracket is not closed");
    }
}
