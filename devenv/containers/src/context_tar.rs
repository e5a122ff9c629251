//! A build's context as a tar archive, made while the engine reads it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use camino::Utf8Path;
use devenv_artifacts::context::Context;
use devenv_artifacts::tree::{Found, Kind};
use futures_util::{StreamExt, stream};
use tar::{EntryType, Header};
use tokio::sync::mpsc;

use crate::engine::ContextStream;

/// The bytes of a part.
const PART: usize = 256 << 10;
/// The parts that wait for the engine.
const WAITING: usize = 4;

/// Why the archive was not finished, if it was not: the engine only sees that it ends early.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<String>>>);

impl Failure {
    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The archive, part by part. A thread reads the files; it ends when nobody reads the parts.
pub(crate) fn archive(context: Context) -> (ContextStream, Failure) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let failure = Failure::default();
    let noted = failure.clone();
    tokio::task::spawn_blocking(move || {
        let outcome = write(&context, Parts { sender: sender.clone(), part: Vec::with_capacity(PART) });
        if let Err(error) = outcome {
            *noted.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            let _ = sender.blocking_send(Err(error));
        }
    });
    let parts = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    (parts.boxed(), failure)
}

fn write(context: &Context, parts: Parts) -> io::Result<()> {
    let mut archive = tar::Builder::new(parts);
    for (name, content) in &context.extra {
        let mut header = header(EntryType::Regular, 0o644, 0, content.len() as u64);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    for found in &context.found {
        append(&mut archive, &context.root, found)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", context.root.join(&found.path))))?;
    }
    archive.into_inner()?.finish()
}

fn append(archive: &mut tar::Builder<Parts>, root: &Utf8Path, found: &Found) -> io::Result<()> {
    let seconds = u64::try_from(found.stamp.modified / 1_000_000_000).unwrap_or_default();
    let of = |kind, size| header(kind, found.stamp.mode, seconds, size);
    match &found.kind {
        Kind::Folder => archive.append_data(&mut of(EntryType::Directory, 0), format!("{}/", found.path), io::empty()),
        Kind::Link(target) => archive.append_link(&mut of(EntryType::Symlink, 0), &found.path, target),
        Kind::File => {
            let file = match File::open(root.join(&found.path)) {
                // Removed since its folder was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other?,
            };
            let size = file.metadata()?.len();
            let mut content = Exactly { file: file.take(size), left: size };
            archive.append_data(&mut of(EntryType::Regular, size), &found.path, &mut content)?;
            if content.left == 0 { Ok(()) } else { Err(io::Error::other("it was cut while the build read it")) }
        }
    }
}

/// The owner is root, as in every image. The time is the file's own: no builder's cache depends on it, but programs that build
/// within the image (make, cargo) compare it with what they built before.
fn header(kind: EntryType, mode: u32, seconds: u64, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(seconds);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// A file, and the bytes that are still to come.
struct Exactly {
    file: io::Take<File>,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// Collects written bytes into parts of the archive.
struct Parts {
    sender: mpsc::Sender<io::Result<Bytes>>,
    part: Vec<u8>,
}

impl Parts {
    fn send(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        let sent = self.sender.blocking_send(Ok(part.into()));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the context"))
    }

    fn finish(mut self) -> io::Result<()> {
        if self.part.is_empty() { Ok(()) } else { self.send() }
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use camino::Utf8PathBuf;
    use devenv_artifacts::gitignore::matching;
    use futures_util::TryStreamExt;

    use super::*;

    fn context(root: &Utf8Path) -> Context {
        Context {
            root: root.to_owned(),
            found: matching(root, &["**".to_owned()]).expect("readable"),
            extra: vec![("Dockerfile".to_owned(), b"FROM x".to_vec())],
            dockerfile: "Dockerfile".to_owned(),
            text: "FROM x".to_owned(),
        }
    }

    async fn bytes(context: Context) -> Result<Vec<u8>, String> {
        let (parts, failure) = archive(context);
        let parts: Result<Vec<Bytes>, _> = parts.try_collect().await;
        parts.map(|parts| parts.concat()).map_err(|error| failure.take().unwrap_or_else(|| error.to_string()))
    }

    #[tokio::test]
    async fn files_keep_their_modes_and_links_stay_links() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        let long = format!("{}/{}", "d".repeat(90), "f".repeat(120));
        std::fs::create_dir(root.join("d".repeat(90))).expect("writable");
        std::fs::write(root.join(&long), vec![7; 600_000]).expect("writable");
        std::fs::write(root.join("run.sh"), "true").expect("writable");
        std::fs::set_permissions(root.join("run.sh"), std::fs::Permissions::from_mode(0o755)).expect("ours");
        symlink("/etc/passwd", root.join("link")).expect("writable");
        let bytes = bytes(context(&root)).await.expect("readable");
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().expect("an archive") {
            let entry = entry.expect("an entry");
            let path = entry.path().expect("a path").display().to_string();
            let target = entry.link_name().expect("readable").map(|target| target.display().to_string());
            let header = entry.header();
            assert_eq!((header.uid().expect("a number"), header.gid().expect("a number")), (0, 0));
            seen.push((path, header.mode().expect("a number"), entry.size(), target));
        }
        seen.sort();
        assert_eq!(seen.len(), 4);
        assert_eq!(seen[0].0, "Dockerfile");
        assert_eq!((seen[1].0.as_str(), seen[1].2), (long.as_str(), 600_000));
        assert_eq!((seen[2].0.as_str(), seen[2].3.as_deref()), ("link", Some("/etc/passwd")));
        assert_eq!((seen[3].0.as_str(), seen[3].1), ("run.sh", 0o755));
    }

    #[tokio::test]
    async fn an_unreadable_file_is_named() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        std::fs::write(root.join("a"), "1").expect("writable");
        let context = context(&root);
        std::fs::remove_file(root.join("a")).expect("it is there");
        std::fs::create_dir(root.join("a")).expect("writable");
        let failure = bytes(context).await.expect_err("a folder is no file");
        assert!(failure.contains(root.join("a").as_str()), "{failure}");
    }
}
