//! The login of a rehearsal: random, kept beside the rehearsal, and readable by its user alone.

use camino::{Utf8Path, Utf8PathBuf};
use devenv_supervisor::files;
use serde::{Deserialize, Serialize};

use crate::cloud::EmulatedLogin;
use crate::error::Error;
use crate::place::random;

/// The format of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptLogin {
    version: u32,
    access_key: String,
    secret_key: String,
}

fn place(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("login.json")
}

/// The login of the last started rehearsal; `None` if it cannot be read.
pub(crate) fn kept_login(folder: &Utf8Path) -> Option<EmulatedLogin> {
    let text = std::fs::read(place(folder)).ok()?;
    let kept: KeptLogin = serde_json::from_slice(&text).ok().filter(|kept: &KeptLogin| kept.version == 1)?;
    Some(EmulatedLogin { access_key: kept.access_key, secret_key: kept.secret_key })
}

/// Creates a random login and keeps it in `folder`, readable by its owner only.
pub(crate) fn new_login(folder: &Utf8Path) -> Result<EmulatedLogin, Error> {
    let path = place(folder);
    let kept = || -> std::io::Result<EmulatedLogin> {
        // Letters first: the emulator would read twelve digits as an account.
        let login = EmulatedLogin { access_key: format!("devenv{}", random::<16>()?), secret_key: random::<24>()? };
        let kept = KeptLogin { version: 1, access_key: login.access_key.clone(), secret_key: login.secret_key.clone() };
        files::replace_private(&path, &serde_json::to_vec(&kept)?)?;
        Ok(login)
    };
    kept().map_err(|source| devenv_runtime::Error::State { path: path.clone(), source }.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn every_rehearsal_has_a_login_of_its_own_that_its_user_alone_can_read() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        assert_eq!(kept_login(folder), None);
        let first = new_login(folder).expect("writable");
        assert_eq!(kept_login(folder).as_ref(), Some(&first));
        let mode = std::fs::metadata(place(folder)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = new_login(folder).expect("writable");
        assert!(first.access_key != second.access_key && first.secret_key != second.secret_key);
        assert_eq!((second.access_key.len(), second.secret_key.len()), (38, 48));
        std::fs::write(place(folder), r#"{"version":2,"access_key":"a","secret_key":"b"}"#).expect("writable");
        assert_eq!(kept_login(folder), None, "of a newer version");
    }
}
