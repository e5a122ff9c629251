//! The memory of builds, shared by all environments of a checkout, like Cargo's target directory.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;
use devenv_supervisor::files;
use devenv_supervisor::state_directory::ignored_folder;
use serde::{Deserialize, Serialize};

/// Raised when the file changes its shape; a file of another format is ignored.
const FORMAT: u64 = 3;

/// The path of the file. The file only saves time: errors of reading or writing it are ignored.
#[derive(Debug, Clone)]
pub struct BuildsFile(Utf8PathBuf);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builds {
    format: u64,
    /// The binaries, by profile and package, such as `dev/order-api`.
    #[serde(default)]
    pub binaries: BTreeMap<String, Binary>,
    /// The last image of each package, by the same keys as the binary in it.
    #[serde(default)]
    pub images: BTreeMap<String, MadeImage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    /// The path at which Cargo put the binary.
    pub path: Utf8PathBuf,
    /// The time at which Cargo last found the binary fresh, in milliseconds since the Unix epoch.
    pub checked: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeImage {
    /// The engine's id of the image; containers are started with it.
    pub id: String,
    /// The digest of the image's manifest, the same in every engine and registry.
    pub digest: String,
    pub revision: Option<String>,
    /// The commit that was checked out when `revision` was determined.
    pub head: Option<String>,
}

impl BuildsFile {
    /// The file in `folder`, the state directory of the checkout's own environment.
    pub fn within(folder: &Utf8Path) -> Self {
        Self(folder.join("builds.json"))
    }

    /// The folder that all environments of the checkout share.
    pub fn folder(&self) -> &Utf8Path {
        self.0.parent().unwrap_or(Utf8Path::new("."))
    }

    pub fn read(&self) -> Builds {
        let read = || serde_json::from_slice::<Builds>(&input::read(&self.0, input::KEPT_LIMIT).ok()?).ok();
        read().filter(|builds| builds.format == FORMAT).unwrap_or_default()
    }

    /// Not synced: every `up` that builds writes it, and its loss costs one run of Cargo.
    pub fn write(&self, builds: &Builds) {
        let versioned = Builds { format: FORMAT, ..builds.clone() };
        let text = serde_json::to_vec_pretty(&versioned).expect("the memory is plain data");
        let written = files::replace_cache(&self.0, &text).or_else(|_| {
            // An environment with another state directory has not made the checkout's `.devenv`.
            ignored_folder(self.0.parent().unwrap_or(Utf8Path::new(".")))?;
            files::replace_cache(&self.0, &text)
        });
        if let Err(error) = written {
            tracing::debug!(path = %self.0, %error, "builds are not remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_remembered_where_the_checkout_has_no_environment_of_its_own() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let own = Utf8Path::from_path(folder.path()).expect("UTF-8").join(".devenv");
        let file = BuildsFile::within(&own);
        let mut builds = Builds::default();
        builds.binaries.insert("dev/api".to_owned(), Binary { path: "/t/api".into(), checked: 7 });
        file.write(&builds);
        assert_eq!(file.read().binaries, builds.binaries);
        assert_eq!(std::fs::read_to_string(own.join(".gitignore")).expect("a list"), "*\n");
    }

    #[test]
    fn builds_come_back_and_a_file_of_another_shape_is_as_good_as_none() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = BuildsFile::within(Utf8Path::from_path(folder.path()).expect("UTF-8"));
        assert_eq!(file.read(), Builds::default());
        let mut builds = Builds::default();
        builds.binaries.insert("dev/api".to_owned(), Binary { path: "/t/api".into(), checked: 7 });
        file.write(&builds);
        assert_eq!(file.read().binaries, builds.binaries);
        std::fs::write(&file.0, r#"{"format": 9, "binaries": {}}"#).expect("writable");
        assert_eq!(file.read(), Builds::default());
    }
}
