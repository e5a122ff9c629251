//! A data directory without any login, kept for copies: `initdb` takes a second, a copy a fraction of it.

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::names::short_digest;

use crate::copy;
use crate::data::major;
use crate::owner::Owner;
use crate::server::version_line;

/// Raised when what is kept changes.
const FORMAT: &str = "1";
const DIGEST_BYTES: usize = 8;

#[derive(Debug)]
pub(crate) struct Template {
    folder: Utf8PathBuf,
}

impl Template {
    /// The template of a server, in this user's cache; `None` if the server does not name its version.
    pub(crate) fn of(bin: &Utf8Path, cache: &Utf8Path) -> Option<Self> {
        // The whole line: packages of one version may differ in what they install.
        let line = version_line(&bin.join("postgres"))?;
        let name = short_digest(format!("{FORMAT}\n{bin}\n{line}"), DIGEST_BYTES);
        Some(Self { folder: cache.join("devenv/postgresql").join(name) })
    }

    /// Copies the template into an empty folder; `false` if there is none. A copy that broke off is removed.
    pub(crate) fn copy_to(&self, folder: &Utf8Path, owner: Option<Owner>) -> bool {
        if major(&self.folder).is_none() {
            return false;
        }
        let copied = copy::content(&self.folder, folder, owner).is_ok();
        if !copied {
            empty(folder);
        }
        copied
    }

    /// Keeps a copy of this data. A failure costs the next environment a second.
    pub(crate) fn keep(&self, data: &Utf8Path) {
        let beside = self.folder.with_extension(std::process::id().to_string());
        let kept = copy::folder(&beside, None)
            .and_then(|()| copy::content(data, &beside, None))
            // Another program may have been faster.
            .and_then(|()| std::fs::rename(&beside, &self.folder));
        if kept.is_err() {
            let _ = std::fs::remove_dir_all(&beside);
        }
    }
}

fn empty(folder: &Utf8Path) {
    for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
        let _ = std::fs::remove_dir_all(entry.path()).or_else(|_| std::fs::remove_file(entry.path()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_copied_whole() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(place.path()).expect("UTF-8");
        let template = Template { folder: root.join("cache/15") };
        let (data, other) = (root.join("data"), root.join("other"));
        std::fs::create_dir_all(data.join("base/1")).expect("writable");
        std::fs::create_dir(&other).expect("writable");
        assert!(!template.copy_to(&other, None), "there is none yet");
        std::fs::write(data.join("PG_VERSION"), "15\n").expect("writable");
        std::fs::write(data.join("base/1/2608"), "rows").expect("writable");
        template.keep(&data);
        template.keep(&data);
        assert!(template.copy_to(&other, None));
        copy::sync(&other).expect("all of it can be read");
        assert_eq!(std::fs::read_to_string(other.join("base/1/2608")).expect("copied"), "rows");
        let kept: Vec<_> = root.join("cache").read_dir_utf8().expect("it is there").flatten().collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
    }
}
