//! The lock file that a killed server leaves in its data directory.
//!
//! PostgreSQL ignores it unless a process has the id in it. Ids are used again, so any process of this user may have it; the server
//! then refuses to start. The unit's lock has shown that no server of this environment runs.

use std::io::ErrorKind;

use camino::Utf8Path;

const FILE: &str = "postmaster.pid";

/// Removes the file if the process of its id lives and is no server of this data directory.
pub(crate) fn remove(data: &Utf8Path) -> std::io::Result<()> {
    let file = data.join(FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let pid: Option<u32> = text.lines().next().and_then(|line| line.trim().parse().ok());
    match pid {
        Some(pid) if is_other_program(pid, data) => std::fs::remove_file(file),
        _ => Ok(()),
    }
}

/// Whether a living process is known to be no server of this data directory: a server's working folder is its data.
fn is_other_program(pid: u32, data: &Utf8Path) -> bool {
    let Ok(folder) = std::fs::read_link(format!("/proc/{pid}/cwd")) else { return false };
    data.canonicalize().is_ok_and(|data| folder != data)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_with_the_id_of_a_stranger_is_removed() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let data = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let file = data.join(FILE);
        remove(data).expect("there is none");
        let mut server =
            std::process::Command::new("sleep").arg("60").current_dir(data).spawn().expect("sleep is there");
        for (pid, stays) in [(server.id(), true), (u32::MAX, true), (std::process::id(), false)] {
            std::fs::write(&file, format!("{pid}\n{data}\n")).expect("writable");
            remove(data).expect("readable");
            assert_eq!(file.exists(), stays, "{pid}");
        }
        server.kill().expect("ours");
        server.wait().expect("ours");
    }
}
