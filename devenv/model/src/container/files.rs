use std::fmt;

use camino::Utf8PathBuf;
use serde::{Serialize, Serializer};

use crate::names::short_digest;

/// The bytes of a content's digest that are kept; enough that two contents differ.
const DIGEST_BYTES: usize = 12;

/// A secret or a config in the file system of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MountedFile {
    /// The absolute path in the container.
    pub target: String,
    pub uid: u64,
    pub gid: u64,
    pub mode: u32,
    pub source: FileSource,
}

/// Where the content of a secret or a config comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum FileSource {
    /// A file of this machine; read when the container is made.
    File(Utf8PathBuf),
    /// The content itself. It never appears in a message: its debug form and its serialized form are a digest.
    Content(String),
    /// The content of a variable that the caller does not have.
    Unset(String),
}

impl FileSource {
    fn described(&self) -> String {
        match self {
            Self::File(path) => path.to_string(),
            Self::Unset(variable) => format!("${variable}"),
            Self::Content(content) => short_digest(content, DIGEST_BYTES),
        }
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("FileSource").field(&self.described()).finish()
    }
}

impl Serialize for FileSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.described())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_never_shown_and_another_content_is_another_file() {
        let secret = FileSource::Content("hunter2".to_owned());
        let other = FileSource::Content("hunter3".to_owned());
        let json = |source: &FileSource| serde_json::to_string(source).expect("plain data");
        assert!(!format!("{secret:?}{}", json(&secret)).contains("hunter"));
        assert_ne!(json(&secret), json(&other));
    }
}
