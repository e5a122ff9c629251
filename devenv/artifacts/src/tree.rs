//! Walks the files of a folder: links stay links, and a filter decides what counts.

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// A build with more files is a mistake: it sends a package cache or a data folder.
const MOST_FILES: usize = 200_000;
const LARGEST: u64 = 4 << 30;
const DEEPEST: usize = 128;

/// A file, folder or link below the root of a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the root, with `/` between its parts.
    pub path: String,
    pub kind: Kind,
    pub stamp: Stamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Folder,
    File,
    /// The text of the link.
    Link(String),
}

/// The facts about a file that change with its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub size: u64,
    /// Nanoseconds since the Unix epoch.
    pub modified: i64,
    pub inode: u64,
    /// Permissions.
    pub mode: u32,
}

/// Decides which files count.
pub(crate) trait Filter {
    /// What a folder passes on to its files.
    type State;

    fn root(&self) -> Self::State;
    fn look(&self, folder: &Self::State, path: &str, is_folder: bool) -> Verdict<Self::State>;
}

pub(crate) struct Verdict<S> {
    pub(crate) counts: bool,
    /// For a folder: what its files get; `None` if none of them counts.
    pub(crate) within: Option<S>,
}

#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error("cannot read {path}: {source}")]
    Read { path: Utf8PathBuf, source: io::Error },
    #[error("{path} has a file whose name is not UTF-8")]
    Name { path: Utf8PathBuf },
    #[error("{path} has more than {MOST_FILES} files")]
    TooMany { path: Utf8PathBuf },
    #[error("{path} has more than {} GiB", LARGEST >> 30)]
    TooLarge { path: Utf8PathBuf },
    #[error("{path} is more than {DEEPEST} folders deep")]
    TooDeep { path: Utf8PathBuf },
    #[error("{0}")]
    Pattern(String),
}

/// Lists what counts below `root`, sorted by folder and name. Sockets, pipes and devices never count.
pub(crate) fn walk<F: Filter>(root: &Utf8Path, filter: &F) -> Result<Vec<Found>, WalkError> {
    let mut walk = Walk { root, filter, found: Vec::new(), size: 0, seen: 0 };
    walk.folder("", &filter.root(), 0)?;
    Ok(walk.found)
}

struct Walk<'a, F> {
    root: &'a Utf8Path,
    filter: &'a F,
    found: Vec<Found>,
    size: u64,
    seen: usize,
}

impl<F: Filter> Walk<'_, F> {
    fn folder(&mut self, folder: &str, state: &F::State, depth: usize) -> Result<(), WalkError> {
        let path = self.root.join(folder);
        let unread = |source| WalkError::Read { path: path.clone(), source };
        if depth > DEEPEST {
            return Err(WalkError::TooDeep { path });
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(unread)? {
            let name = entry.map_err(unread)?.file_name();
            names.push(name.into_string().map_err(|_| WalkError::Name { path: path.clone() })?);
        }
        names.sort_unstable();
        for name in names {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            self.entry(&path, state, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &str, state: &F::State, depth: usize) -> Result<(), WalkError> {
        let absolute = self.root.join(path);
        let unread = |source| WalkError::Read { path: absolute.clone(), source };
        let metadata = match std::fs::symlink_metadata(&absolute) {
            // Removed since its folder was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(unread)?,
        };
        let kind = if metadata.is_dir() {
            Kind::Folder
        } else if metadata.is_symlink() {
            let target = std::fs::read_link(&absolute).map_err(unread)?.into_os_string();
            Kind::Link(target.into_string().map_err(|_| WalkError::Name { path: absolute.clone() })?)
        } else if metadata.is_file() {
            Kind::File
        } else {
            return Ok(());
        };
        self.seen += 1;
        if self.seen > MOST_FILES {
            return Err(WalkError::TooMany { path: self.root.to_owned() });
        }
        let is_folder = kind == Kind::Folder;
        let verdict = self.filter.look(state, path, is_folder);
        if verdict.counts {
            if kind == Kind::File {
                self.size += metadata.len();
                if self.size > LARGEST {
                    return Err(WalkError::TooLarge { path: self.root.to_owned() });
                }
            }
            let nanoseconds = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
            let stamp = Stamp {
                size: if is_folder { 0 } else { metadata.len() },
                modified: nanoseconds,
                inode: metadata.ino(),
                mode: metadata.mode() & 0o7777,
            };
            self.found.push(Found { path: path.to_owned(), kind, stamp });
        }
        match verdict.within.filter(|_| is_folder) {
            Some(within) => self.folder(path, &within, depth + 1),
            None => Ok(()),
        }
    }
}
