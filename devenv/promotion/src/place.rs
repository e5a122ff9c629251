//! Random names that distinguish folders and runs.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use devenv_model::names::hexadecimal;
use devenv_supervisor::files;

use crate::terraform::log_path;

/// `BYTES` random bytes from the system, as lower-case hexadecimal digits. An error when `/dev/urandom` cannot be read.
pub(crate) fn random<const BYTES: usize>() -> std::io::Result<String> {
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hexadecimal(&bytes))
}

/// The random name of a folder, created at the first call. The caller holds the lock of `lock`, a file in it. A copy of the
/// folder gets another name: two folders of one name would take the environment's lock from each other.
pub(crate) fn of(folder: &Utf8Path, lock: &Utf8Path) -> std::io::Result<String> {
    let file = folder.join("place");
    let lock = std::fs::metadata(lock)?;
    let mark = format!("{}:{}", lock.dev(), lock.ino());
    if let Ok(text) = std::fs::read_to_string(&file)
        && let Some((name, of)) = text.trim().split_once(' ')
        && of == mark
    {
        return Ok(name.to_owned());
    }
    let name = random::<8>()?;
    // A copied log names the locks that the other folder's Terraform took.
    match std::fs::remove_file(log_path(folder)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }

    files::replace(&file, format!("{name} {mark}\n").as_bytes())?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name_and_a_copy_of_it_has_another() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(temporary.path()).expect("UTF-8");
        let (one, copy) = (root.join("one"), root.join("copy"));
        let name = |folder: &Utf8Path| of(folder, &folder.join("lock")).expect("writable");
        for folder in [&one, &copy] {
            std::fs::create_dir(folder).expect("writable");
            std::fs::write(folder.join("lock"), "").expect("writable");
        }
        let first = name(&one);
        assert_eq!(first.len(), 16);
        assert_eq!(name(&one), first);
        std::fs::copy(one.join("place"), copy.join("place")).expect("readable");
        for folder in [&one, &copy] {
            std::fs::write(log_path(folder), "tf_backend.lock.id=0a-1b\n").expect("writable");
        }
        assert_ne!(name(&copy), first);
        assert!(!log_path(&copy).exists(), "the locks of another folder are not this one's");
        assert_eq!(name(&one), first);
        assert!(log_path(&one).exists());
    }
}
