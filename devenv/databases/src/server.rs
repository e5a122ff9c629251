//! The PostgreSQL servers of this machine.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

/// Folders of packages that keep several versions beside each other; `*` stands for one part of a name.
const PLACES: [&str; 8] = [
    // Debian and Ubuntu, Fedora and its kin, Alpine.
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    // Homebrew on macOS and on Linux, Postgres.app, the EDB installer.
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
];

/// An installed server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The folder of `postgres` and `initdb`.
    pub bin: Utf8PathBuf,
    pub major: u16,
    /// As the server prints it, such as `15.14`.
    pub version: String,
}

/// The servers of this machine, those on the PATH first; looked for once.
pub fn on_this_machine() -> &'static [Server] {
    static FOUND: OnceLock<Vec<Server>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = std::env::var("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok());
        let placed = PLACES.iter().flat_map(|place| expanded(Utf8Path::new(place)));
        servers(on_path.filter(|folder| folder.is_absolute()).chain(placed))
    })
}

/// The servers in these folders, each once.
fn servers(folders: impl Iterator<Item = Utf8PathBuf>) -> Vec<Server> {
    let mut found: Vec<Server> = Vec::new();
    for folder in folders.filter(|folder| folder.join("initdb").exists()) {
        // A link to the program leads to the folder of its companions.
        let Ok(program) = folder.join("postgres").canonicalize_utf8() else { continue };
        let bin = program.parent().map(Utf8Path::to_owned).unwrap_or_default();
        if found.iter().any(|known| known.bin == bin) || !bin.join("initdb").exists() {
            continue;
        }
        found.extend(version(&program).map(|(major, version)| Server { bin, major, version }));
    }
    found
}

/// The output of `postgres --version`, such as `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
pub(crate) fn version_line(program: &Utf8Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

fn version(program: &Utf8Path) -> Option<(u16, String)> {
    parse(&version_line(program)?)
}

fn parse(line: &str) -> Option<(u16, String)> {
    let version = line.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    // `18beta1` is a 18 too.
    let digits = version.find(|character: char| !character.is_ascii_digit()).unwrap_or(version.len());
    Some((version[..digits].parse().ok()?, version.to_owned()))
}

/// The folders that match a path with `*` in one part, in the order of their names.
fn expanded(pattern: &Utf8Path) -> Vec<Utf8PathBuf> {
    let parts: Vec<&str> = pattern.iter().collect();
    let Some(at) = parts.iter().position(|part| part.contains('*')) else { return vec![pattern.to_owned()] };
    let above: Utf8PathBuf = parts[..at].iter().collect();
    let (begin, end) = parts[at].split_once('*').unwrap_or_default();
    let fits = |name: &str| name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end);
    let entries = above.read_dir_utf8().into_iter().flatten().flatten();
    let mut found: Vec<Utf8PathBuf> = entries
        .filter(|entry| fits(entry.file_name()))
        .map(|entry| parts[at + 1..].iter().fold(entry.into_path(), |path, part| path.join(part)))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_version_is_read_from_what_the_program_prints() {
        let parsed = |line| parse(line).map(|(major, version)| format!("{major} {version}"));
        assert_eq!(parsed("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)").as_deref(), Some("15 15.14"));
        assert_eq!(parsed("postgres (PostgreSQL) 18beta1").as_deref(), Some("18 18beta1"));
        assert_eq!(parsed("postgres 15"), None);
    }

    #[test]
    fn every_folder_with_a_server_counts_once() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8").canonicalize_utf8().expect("it is there");
        for (version, is_whole) in [("15", true), ("17", true), ("16", false)] {
            let bin = root.join(version).join("bin");
            std::fs::create_dir_all(&bin).expect("writable");
            let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}.1'\n");
            for program in if is_whole { &["postgres", "initdb"][..] } else { &["postgres"] } {
                std::fs::write(bin.join(program), &script).expect("writable");
                std::fs::set_permissions(bin.join(program), PermissionsExt::from_mode(0o755)).expect("ours");
            }
        }
        let pattern = root.join("1*/bin");
        let found = servers(expanded(&pattern).into_iter().chain([root.join("15/bin"), root.join("absent")]));
        let found: Vec<(u16, &str)> = found.iter().map(|server| (server.major, server.version.as_str())).collect();
        assert_eq!(found, [(15, "15.1"), (17, "17.1")]);
    }
}
