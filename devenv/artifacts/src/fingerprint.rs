//! Detects changes of files without reading them.

use std::time::SystemTime;

use camino::Utf8PathBuf;

/// A text that differs after a write to any of the files, or in another order of the files. It has an empty part for an
/// absent file.
pub fn fingerprint(files: &[Utf8PathBuf]) -> String {
    let one = |file: &Utf8PathBuf| {
        let Ok(metadata) = std::fs::metadata(file) else {
            return String::new();
        };
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        format!("{}-{}", metadata.len(), modified.unwrap_or_default().as_nanos())
    };
    files.iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    #[test]
    fn a_file_that_is_written_or_removed_changes_it() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let files = [root.join("a"), root.join("b")];
        std::fs::write(&files[0], "1").expect("writable");
        let first = fingerprint(&files);
        assert_eq!(fingerprint(&files), first);
        std::fs::write(&files[1], "2").expect("writable");
        let both = fingerprint(&files);
        std::fs::write(&files[0], "11").expect("writable");
        let longer = fingerprint(&files);
        std::fs::remove_file(&files[0]).expect("it is there");
        let states = [first, both, longer, fingerprint(&files)];
        assert!(states.iter().enumerate().all(|(place, state)| !states[..place].contains(state)), "{states:?}");
    }
}
