//! How far a mapping has come in a stream, kept in a file.

use camino::{Utf8Path, Utf8PathBuf};
use devenv_supervisor::files;

#[derive(Debug)]
pub(crate) struct CheckpointFile {
    path: Utf8PathBuf,
}

impl CheckpointFile {
    /// The file of the mapping `name` below the host's data folder, which is made.
    pub(crate) fn within(data: &Utf8Path, name: &str) -> std::io::Result<Self> {
        let folder = data.join("checkpoints");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { path: folder.join(format!("{name}.json")) })
    }

    /// The content; `None` before the first one was kept.
    pub(crate) fn read(&self) -> Option<String> {
        std::fs::read_to_string(&self.path).ok()
    }

    /// Replaces the content as a whole: a kill leaves the old one or the new one.
    pub(crate) fn keep(&self, content: &str) -> std::io::Result<()> {
        files::replace_private(&self.path, content.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_content_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let file = CheckpointFile::within(data, "low-stock-inventory").expect("writable");
        assert_eq!(file.read(), None);
        for content in ["1", "22"] {
            file.keep(content).expect("writable");
            assert_eq!(
                CheckpointFile::within(data, "low-stock-inventory").expect("there").read().as_deref(),
                Some(content)
            );
        }
    }
}
