//! The password of an environment's databases: made once, kept in the state directory, readable for this user only.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Result, Write as _};
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};

const BYTES: usize = 16;
/// Longer than any password made here.
const LIMIT: u64 = 1024;

/// The file of the password.
pub fn file(state: &Utf8Path) -> Utf8PathBuf {
    state.join("database-password")
}

/// The password; `None` before the first start.
pub fn kept(state: &Utf8Path) -> Result<Option<String>> {
    let mut text = String::new();
    match File::open(file(state)) {
        Ok(file) => file.take(LIMIT).read_to_string(&mut text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Makes the password if there is none. The state directory is there, and no other command changes the environment meanwhile.
pub fn make(state: &Utf8Path) -> Result<()> {
    if kept(state)?.is_some() {
        return Ok(());
    }
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let text = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file(state))?;
    writeln!(file, "{text}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_password_is_made_once_and_for_this_user_only() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let state = Utf8Path::from_path(folder.path()).expect("UTF-8");
        assert_eq!(kept(state).expect("readable"), None);
        make(state).expect("writable");
        let made = kept(state).expect("readable").expect("it is there");
        assert_eq!(made.len(), 2 * BYTES);
        make(state).expect("it is there already");
        assert_eq!(kept(state).expect("readable"), Some(made));
        let mode = std::fs::metadata(file(state)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
