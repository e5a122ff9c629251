//! Folders that keep only their newest entries.

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};

/// Removes all but the last `count` files and folders by name; names begin with their time. Hidden entries are still being
/// written, and stay.
pub(crate) fn keep_newest(folder: &Utf8Path, count: usize) {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut paths: Vec<Utf8PathBuf> =
        entries.filter(|entry| !entry.file_name().starts_with('.')).map(Utf8DirEntry::into_path).collect();
    paths.sort();
    let surplus = paths.len().saturating_sub(count);
    for path in paths.iter().take(surplus) {
        let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_what_is_hidden_stays() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for name in [".part", "20260102.json", "20260103.json"] {
            std::fs::write(root.join(name), "").expect("writable");
        }
        std::fs::create_dir_all(root.join("20260101/logs")).expect("writable");
        keep_newest(root, 2);
        let left = || {
            let mut names: Vec<String> = root
                .read_dir_utf8()
                .expect("there")
                .map(|entry| entry.expect("readable").file_name().to_owned())
                .collect();
            names.sort();
            names
        };
        assert_eq!(left(), [".part", "20260102.json", "20260103.json"]);
        keep_newest(root, 1);
        assert_eq!(left(), [".part", "20260103.json"]);
    }
}
