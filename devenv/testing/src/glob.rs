//! Files by a pattern such as `reports/*.xml`: `*` and `?` within a name, `**` for any number of folders.

use camino::{Utf8Path, Utf8PathBuf};

/// Entries of folders to look at.
const MOST_ENTRIES: usize = 100_000;
/// Folders within folders to enter.
const DEEPEST: usize = 32;
/// Folders that hold no reports, but very many files.
const SKIPPED: [&str; 2] = [".git", "node_modules"];

/// The regular files below `folder` that match, in order. Symbolic links to folders are not followed.
pub(crate) fn files(folder: &Utf8Path, pattern: &str) -> Result<Vec<Utf8PathBuf>, String> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let mut search = Search { found: Vec::new(), seen: 0 };
    search.enter(folder, &parts, DEEPEST)?;
    search.found.sort();
    search.found.dedup();
    Ok(search.found)
}

struct Search {
    found: Vec<Utf8PathBuf>,
    seen: usize,
}

impl Search {
    fn enter(&mut self, folder: &Utf8Path, parts: &[&str], deepest: usize) -> Result<(), String> {
        let Some((first, rest)) = parts.split_first() else { return Ok(()) };
        let Some(deepest) = deepest.checked_sub(1) else { return Ok(()) };
        if *first == "**" {
            self.enter(folder, rest, deepest)?;
        }
        for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
            self.seen += 1;
            if self.seen > MOST_ENTRIES {
                return Err(format!("there are more than {MOST_ENTRIES} files to look at"));
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            if kind.is_dir() {
                if *first == "**" && !SKIPPED.contains(&name) {
                    self.enter(entry.path(), parts, deepest)?;
                } else if *first != "**" && matches(first, name) {
                    self.enter(entry.path(), rest, deepest)?;
                }
            } else if rest.is_empty() && matches(first, name) && entry.path().is_file() {
                self.found.push(entry.into_path());
            }
        }
        Ok(())
    }
}

/// Whether a name matches; goes back to the last `*` only, so that no pattern takes long.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, place));
            at += 1;
        } else if pattern.get(at).is_some_and(|sign| *sign == '?' || *sign == name[place]) {
            (at, place) = (at + 1, place + 1);
        } else if let Some((star_at, begun)) = star {
            star = Some((star_at, begun + 1));
            (at, place) = (star_at + 1, begun + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_by_stars_and_question_marks() {
        for (pattern, name, expected) in [
            ("*.xml", "a.xml", true),
            ("*.xml", "a.xml.bak", false),
            ("TEST-*.xml", "TEST-a-b.xml", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(50), &"a".repeat(49)));
    }

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
    }
}
