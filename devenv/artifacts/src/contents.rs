//! Finds the files of a build that have changed since, and reads only those whose size, time or inode differ.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;
use devenv_model::names::{hexadecimal, short_digest};
use devenv_supervisor::files;
use devenv_supervisor::state_directory::ignored_folder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::tree::{Found, Kind, Stamp};

/// Raised when the file changes its shape; a file of another format is ignored.
const FORMAT: u64 = 1;
/// Bytes of a digest; enough that two contents differ.
const DIGEST: usize = 16;
/// The kind of a build whose result is an image, among those of one unit.
pub const IMAGE: &str = "image";
/// Two writes within one tick of a file system's clock have the same time: a file that was written this recently is read again.
const TICK: i64 = 50_000_000;
const LARGEST_MEMORY: u64 = 256 << 20;

/// What was built last for one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    format: u64,
    /// The digest of everything but the files, such as the arguments of the build.
    settings: String,
    files: BTreeMap<String, Seen>,
    /// The engine's id of the image; empty for a command.
    pub result: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    #[serde(flatten)]
    stamp: Stamp,
    digest: String,
}

impl Made {
    /// See [`Look::sources`].
    pub fn sources(&self) -> String {
        sources(&self.files)
    }
}

impl Seen {
    fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest && self.stamp.mode == other.stamp.mode
    }
}

/// The files as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    settings: String,
    files: BTreeMap<String, Seen>,
    /// Why a new build is due: what has changed since the last one.
    pub stale: Option<String>,
    /// Whether the memory would save the next look some work.
    is_news: bool,
}

impl Look {
    /// A text that differs when the settings or the content of a file differ.
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.settings);
        for (path, seen) in &self.files {
            digest.update(format!("\0{path}\0{}\0{:o}", seen.digest, seen.stamp.mode));
        }
        hexadecimal(&digest.finalize()[..DIGEST])
    }
}

impl Look {
    /// The digest of the files by path, mode and content: 64 digits, the same in every checkout.
    pub fn sources(&self) -> String {
        sources(&self.files)
    }
}

fn sources(files: &BTreeMap<String, Seen>) -> String {
    let mut digest = Sha256::new();
    for (path, seen) in files {
        digest.update(format!("{path}\0{}\0{:o}\0", seen.digest, seen.stamp.mode));
    }
    hexadecimal(&digest.finalize())
}

/// The file that remembers what was built for a unit. It only saves time: errors of reading or writing it are ignored.
#[derive(Debug, Clone)]
pub struct Memory(Utf8PathBuf);

impl Memory {
    /// In `folder`, the state directory of the checkout's own environment. `kind` separates the builds of one unit.
    pub fn new(folder: &Utf8Path, unit: &str, kind: &str) -> Self {
        Self(folder.join("built").join(format!("{unit}.{kind}.json")))
    }

    pub fn read(&self) -> Option<Made> {
        let made: Made = serde_json::from_slice(&input::read(&self.0, LARGEST_MEMORY).ok()?).ok()?;
        (made.format == FORMAT).then_some(made)
    }

    /// Remembers that `result` was built from these files.
    pub fn keep(&self, look: &Look, result: &str) {
        let (settings, files) = (look.settings.clone(), look.files.clone());
        let made = Made { format: FORMAT, settings, files, result: result.to_owned() };
        let folder = self.0.parent().unwrap_or(Utf8Path::new("."));
        let text = serde_json::to_vec(&made).expect("the memory is plain data");
        let written = ignored_folder(folder.parent().unwrap_or(folder))
            .and_then(|()| std::fs::create_dir_all(folder))
            .and_then(|()| files::replace_cache(&self.0, &text));
        if let Err(error) = written {
            tracing::debug!(path = %self.0, %error, "a build is not remembered");
        }
    }

    /// Remembers that files were touched, or moved, but have the content they had.
    pub fn refresh(&self, look: &Look, made: &Made) {
        if look.stale.is_none() && look.is_news {
            self.keep(look, &made.result);
        }
    }
}

/// Compares `found`, below `root`, with what was built. Reads only the files whose size, time, inode or mode differs. `extra` has
/// content from elsewhere, by its name. `shown` names a file for people.
pub fn look(
    root: &Utf8Path,
    found: &[Found],
    extra: &[(String, Vec<u8>)],
    settings: &[u8],
    made: Option<&Made>,
    shown: impl Fn(&str) -> String,
) -> io::Result<Look> {
    let settings = short_digest(settings, DIGEST);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let recent = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX) - TICK;
    let mut files = BTreeMap::new();
    for found in found {
        let known = made.and_then(|made| made.files.get(&found.path)).filter(|known| known.stamp == found.stamp);
        let digest = match (known, &found.kind) {
            (Some(known), _) => known.digest.clone(),
            (None, Kind::Folder) => "folder".to_owned(),
            (None, Kind::Link(target)) => format!("link {target}"),
            (None, Kind::File) => match digest(&root.join(&found.path)) {
                // Removed since its folder was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            },
        };
        let mut stamp = found.stamp;
        if stamp.modified >= recent {
            stamp.inode = 0;
        }
        files.insert(found.path.clone(), Seen { stamp, digest });
    }
    for (name, content) in extra {
        let stamp = Stamp { size: content.len() as u64, modified: 0, inode: 0, mode: 0 };
        files.insert(name.clone(), Seen { stamp, digest: short_digest(content, DIGEST) });
    }
    let stale = match made {
        None => Some("not built yet".to_owned()),
        Some(made) => difference(&made.files, &files, shown)
            .or_else(|| (made.settings != settings).then(|| "the settings of its build changed".to_owned())),
    };
    let is_news = made.is_some_and(|made| made.files != files);
    Ok(Look { settings, files, stale, is_news })
}

fn difference(
    before: &BTreeMap<String, Seen>,
    now: &BTreeMap<String, Seen>,
    shown: impl Fn(&str) -> String,
) -> Option<String> {
    let differing = now.iter().find_map(|(path, seen)| match before.get(path) {
        Some(known) if known.is_same(seen) => None,
        Some(_) => Some(format!("{} changed", shown(path))),
        None => Some(format!("{} is new", shown(path))),
    });
    differing.or_else(|| {
        let gone = before.keys().find(|path| !now.contains_key(*path))?;
        Some(format!("{} is gone", shown(gone)))
    })
}

fn digest(path: &Utf8Path) -> io::Result<String> {
    let mut file = File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&digest.finalize()[..DIGEST])),
            count => digest.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitignore::matching;

    struct Project {
        folder: tempfile::TempDir,
        memory: Memory,
    }

    impl Project {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a temporary directory");
            let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
            let memory = Memory::new(&root.join(".devenv"), "web", "image");
            let project = Self { folder, memory };
            project.write("app.py", "1");
            project.write("lib.py", "1");
            project
        }

        fn root(&self) -> &Utf8Path {
            Utf8Path::from_path(self.folder.path()).expect("UTF-8")
        }

        /// Writes a file as an hour ago, so that its time is not recent.
        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.root().join(name), text).expect("writable");
            let file = File::options().write(true).open(self.root().join(name)).expect("there");
            file.set_modified(SystemTime::now() - std::time::Duration::from_hours(1)).expect("a time can be set");
        }

        fn look(&self, settings: &str) -> Look {
            let found = matching(self.root(), &["*.py".to_owned()]).expect("readable");
            let made = self.memory.read();
            let shown = |path: &str| format!("web/{path}");
            let look = look(self.root(), &found, &[], settings.as_bytes(), made.as_ref(), shown).expect("readable");
            if let Some(made) = made {
                self.memory.refresh(&look, &made);
            }
            look
        }
    }

    #[test]
    fn only_a_change_of_content_is_a_reason_to_build() {
        let project = Project::new();
        let first = project.look("a");
        assert_eq!(first.stale.as_deref(), Some("not built yet"));
        project.memory.keep(&first, "sha256:1");
        assert_eq!(project.look("a").stale, None);
        assert_eq!(project.look("a").fingerprint(), first.fingerprint());
        project.write("app.py", "1");
        let touched = project.look("a");
        assert_eq!((touched.stale, touched.is_news), (None, true));
        assert!(!project.look("a").is_news, "the touch is remembered");
        assert_eq!(project.memory.read().expect("kept").result, "sha256:1");
        assert_eq!(project.look("b").stale.as_deref(), Some("the settings of its build changed"));
        project.write("app.py", "2");
        let changed = project.look("a");
        assert_eq!(changed.stale.as_deref(), Some("web/app.py changed"));
        assert_ne!(changed.fingerprint(), first.fingerprint());
        assert_ne!(changed.sources(), first.sources());
        assert_eq!(project.memory.read().expect("kept").sources(), first.sources());
        assert_eq!(project.look("b").sources(), changed.sources(), "settings are no files");
        project.memory.keep(&changed, "sha256:2");
        project.write("new.py", "");
        assert_eq!(project.look("a").stale.as_deref(), Some("web/new.py is new"));
        std::fs::remove_file(project.root().join("new.py")).expect("it is there");
        std::fs::remove_file(project.root().join("lib.py")).expect("it is there");
        assert_eq!(project.look("a").stale.as_deref(), Some("web/lib.py is gone"));
    }

    #[test]
    fn a_file_that_was_written_a_moment_ago_is_read_again() {
        let project = Project::new();
        let path = project.root().join("app.py");
        std::fs::write(&path, "1").expect("writable");
        let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("there");
        project.memory.keep(&project.look("a"), "");
        std::fs::write(&path, "2").expect("writable");
        let file = File::options().write(true).open(&path).expect("there");
        file.set_modified(modified).expect("a time can be set");
        assert_eq!(project.look("a").stale.as_deref(), Some("web/app.py changed"));
    }

    #[test]
    fn a_changed_mode_counts() {
        use std::os::unix::fs::PermissionsExt;
        let project = Project::new();
        project.memory.keep(&project.look("a"), "");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(project.root().join("app.py"), executable).expect("it is ours");
        assert_eq!(project.look("a").stale.as_deref(), Some("web/app.py changed"));
    }
}
