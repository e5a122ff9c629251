//! The secrets and configs of containers: copied into the created container, so that this machine keeps no second copy. What lies
//! where an engine cannot copy to is bound from a folder that only its owner can enter.

use std::fs::{DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::container::{ContainerSettings, FileSource, Mount, MountedFile};
use devenv_model::names::short_digest;
use devenv_runtime::Error;

use crate::tar_file;

/// A secret or config has at most so many bytes.
const LARGEST: u64 = 1 << 20;
/// The folder of secrets; most images lack it.
const SECRETS: &str = "/run/secrets";
const DIGEST_BYTES: usize = 12;

/// Returns a digest of each file's content.
pub(crate) fn digests(unit: &str, files: &[MountedFile]) -> Result<Vec<String>, Error> {
    files.iter().map(|file| Ok(short_digest(content(unit, file)?, DIGEST_BYTES))).collect()
}

fn content(unit: &str, file: &MountedFile) -> Result<Vec<u8>, Error> {
    match &file.source {
        FileSource::Content(content) => Ok(content.clone().into_bytes()),
        FileSource::File(path) => {
            let failed = |source| Error::ReadFile { path: path.clone(), source };
            let size = std::fs::metadata(path).map_err(failed)?.len();
            if size > LARGEST {
                return Err(failed(std::io::Error::other(format!("a secret or config has at most {LARGEST} bytes"))));
            }
            std::fs::read(path).map_err(failed)
        }
        FileSource::Unset(variable) => {
            let (service, variable, target) = (unit.to_owned(), variable.clone(), file.target.clone());
            Err(Error::Unset { service, variable, target })
        }
    }
}

/// Whether an engine cannot copy a file to its place: the container is read-only, or something is mounted there.
fn is_out_of_reach(file: &MountedFile, settings: &ContainerSettings) -> bool {
    let target = Utf8Path::new(&file.target);
    settings.security.read_only || settings.mounts.iter().any(|mount| target.starts_with(&mount.target))
}

/// Replaces the files that an engine cannot copy to their places by mounts.
pub(crate) fn bind_the_rest(unit: &str, settings: &mut ContainerSettings, folder: &Utf8Path) {
    let files = std::mem::take(&mut settings.files);
    let (bound, copied): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_out_of_reach(file, settings));
    for file in &bound {
        let path = match &file.source {
            FileSource::File(path) => path.clone(),
            FileSource::Content(_) | FileSource::Unset(_) => kept_at(unit, file, folder),
        };
        settings.mounts.push(Mount { read_only: true, ..Mount::path(path.as_str(), &file.target) });
    }
    settings.files = copied;
}

fn kept_at(unit: &str, file: &MountedFile, folder: &Utf8Path) -> Utf8PathBuf {
    folder.join(unit).join(short_digest(&file.target, DIGEST_BYTES))
}

/// Writes the contents that a container gets by a mount.
pub(crate) fn keep(unit: &str, settings: &ContainerSettings, folder: &Utf8Path) -> Result<(), Error> {
    let own = folder.join(unit);
    let failed = |source| Error::State { path: own.clone(), source };
    match std::fs::remove_dir_all(&own) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    for file in settings.files.iter().filter(|file| is_out_of_reach(file, settings)) {
        let FileSource::Content(content) = &file.source else { continue };
        DirBuilder::new().recursive(true).mode(0o700).create(&own).map_err(failed)?;
        let path = kept_at(unit, file, folder);
        let failed = |source| Error::State { path: path.clone(), source };
        std::fs::write(&path, content).map_err(failed)?;
        // The folder keeps others of this machine out; the user of the container is one of them.
        std::fs::set_permissions(&path, Permissions::from_mode(file.mode)).map_err(failed)?;
        if let (Ok(uid), Ok(gid)) = (u32::try_from(file.uid), u32::try_from(file.gid))
            && (uid, gid) != (0, 0)
        {
            chown(&path, Some(uid), Some(gid)).map_err(failed)?;
        }
    }
    Ok(())
}

/// Removes every kept content.
pub(crate) fn forget(folder: &Utf8Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::State { path: folder.to_owned(), source }),
        _ => Ok(()),
    }
}

/// Returns an archive of the files for the root of a container; `None` if there are none.
pub(crate) fn archive(unit: &str, files: &[MountedFile]) -> Result<Option<Vec<u8>>, Error> {
    if files.is_empty() {
        return Ok(None);
    }
    let failed = |source| Error::ReadFile { path: unit.into(), source };
    let mut archive = tar_file::Archive::new(Vec::new());
    if files.iter().any(|file| file.target.starts_with(SECRETS)) {
        tar_file::add_folder(&mut archive, &SECRETS[1..], 0o755, 0).map_err(failed)?;
    }
    for file in files {
        let owner = tar_file::Owner { uid: file.uid, gid: file.gid };
        let path = file.target.trim_start_matches('/');
        tar_file::add_owned(&mut archive, path, file.mode, owner, &content(unit, file)?).map_err(failed)?;
    }
    archive.into_inner().map(Some).map_err(failed)
}

#[cfg(test)]
mod tests {
    use devenv_model::container::MountSource;

    use super::*;

    fn file(target: &str) -> MountedFile {
        let source = FileSource::Content("hunter2".to_owned());
        MountedFile { target: target.to_owned(), uid: 0, gid: 0, mode: 0o440, source }
    }

    #[test]
    fn an_archive_has_each_file_at_its_place_with_its_owner() {
        let owned = MountedFile { uid: 7, gid: 8, ..file("/run/secrets/password") };
        let archive = archive("web", &[owned]).expect("readable").expect("a file");
        let mut seen = Vec::new();
        for entry in tar::Archive::new(archive.as_slice()).entries().expect("an archive") {
            let entry = entry.expect("an entry");
            let header = entry.header();
            let numbers = (header.uid().expect("a number"), header.gid().expect("a number"));
            seen.push((entry.path().expect("a path").display().to_string(), header.mode().expect("a mode"), numbers));
        }
        let folder = ("run/secrets".to_owned(), 0o755, (0, 0));
        assert_eq!(seen, [folder, ("run/secrets/password".to_owned(), 0o440, (7, 8))]);
    }

    #[test]
    fn what_cannot_be_copied_is_bound_from_a_closed_folder_until_it_is_forgotten() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let folder = Utf8Path::from_path(temporary.path()).expect("UTF-8").join("files");
        let mut settings = ContainerSettings {
            mounts: vec![Mount::memory("/run")],
            files: vec![file("/run/secrets/password"), file("/password")],
            ..ContainerSettings::default()
        };
        keep("web", &settings, &folder).expect("writable");
        bind_the_rest("web", &mut settings, &folder);
        assert_eq!(settings.files, [file("/password")]);
        let [_, Mount { source: MountSource::Bind(bind), read_only: true, .. }] = &settings.mounts[..] else {
            panic!("{:?}", settings.mounts);
        };
        assert_eq!(std::fs::read_to_string(&bind.path).expect("kept"), "hunter2");
        let mode = |path: &str| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(folder.join("web").as_str()), mode(&bind.path)), (0o700, 0o440));
        forget(&folder).expect("writable");
        assert!(!folder.exists());
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let unset = MountedFile { source: FileSource::Unset("PASSWORD".to_owned()), ..file("/password") };
        let error = digests("web", &[unset]).expect_err("it has no content").to_string();
        assert!(error.contains("service web") && error.contains("PASSWORD"), "{error}");
    }
}
