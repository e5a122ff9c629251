//! Whether a binary is newer than its sources, by the list of sources that Cargo keeps beside it.

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

/// The reason to build the binary, or `None` if it is newer than every source that Cargo recorded for it.
///
/// Running Cargo takes longer than the rest of an unchanged `up`; the dep-info file beside each binary holds the answer.
///
/// `checked` is the time at which Cargo last found the binary fresh: Cargo does not touch a binary that a change does not
/// affect.
pub fn stale(root: &Utf8Path, binary: &Utf8Path, checked: Option<SystemTime>) -> Option<String> {
    let Ok(built) = modified(binary) else {
        return Some("not built yet".to_owned());
    };
    let built = checked.map_or(built, |checked| checked.max(built));
    let Some(sources) = sources(root, binary) else {
        return Some("dep-info file missing".to_owned());
    };
    for source in sources {
        match modified(&source) {
            Ok(changed) if changed <= built => {}
            Ok(_) => return Some(format!("{} changed", source.strip_prefix(root).unwrap_or(&source))),
            Err(_) => return Some(format!("{} is gone", source.strip_prefix(root).unwrap_or(&source))),
        }
    }
    None
}

/// Every file of this workspace that the binary depends on; `None` if Cargo has not recorded its sources.
pub fn sources(root: &Utf8Path, binary: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let mut sources = recorded(binary)?;
    let mut manifests: Vec<Utf8PathBuf> = sources
        .iter()
        .filter_map(|source| source.ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file()))
        .collect();
    manifests.sort();
    manifests.dedup();
    sources.extend(manifests);
    for shared in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"] {
        if root.join(shared).exists() {
            sources.push(root.join(shared));
        }
    }
    Some(sources)
}

/// The sources in the dep-info file that Cargo writes beside a binary; `None` if there is no such file.
pub fn recorded(binary: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    Some(dep_info(&std::fs::read_to_string(binary.with_extension("d")).ok()?))
}

fn modified(path: &Utf8Path) -> std::io::Result<SystemTime> {
    std::fs::metadata(path)?.modified()
}

/// The prerequisites of the only rule in a dep-info file; `\ ` is a space within a path.
fn dep_info(text: &str) -> Vec<Utf8PathBuf> {
    let Some((_, prerequisites)) = text.lines().next().and_then(|line| line.split_once(": ")) else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    let mut current = String::new();
    let mut characters = prerequisites.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&' ') => {
                current.push(' ');
                characters.next();
            }
            ' ' => {
                if !current.is_empty() {
                    paths.push(Utf8PathBuf::from(std::mem::take(&mut current)));
                }
            }
            other => current.push(other),
        }
    }
    if !current.is_empty() {
        paths.push(current.into());
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_info_paths_may_hold_spaces() {
        let paths = dep_info("/t/debug/api: /p/a\\ b/main.rs /p/lib.rs\n");
        assert_eq!(paths, ["/p/a b/main.rs", "/p/lib.rs"]);
    }

    #[test]
    fn a_binary_is_stale_when_a_source_is_newer_or_gone() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let binary = root.join("api");
        let source = root.join("main.rs");
        assert_eq!(stale(root, &binary, None).as_deref(), Some("not built yet"));
        std::fs::write(&source, "").expect("writable");
        std::fs::write(&binary, "").expect("writable");
        std::fs::write(root.join("api.d"), format!("{binary}: {source}\n")).expect("writable");
        assert_eq!(stale(root, &binary, None), None);
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options()
            .write(true)
            .open(&source)
            .and_then(|file| file.set_modified(later))
            .expect("a time can be set");
        assert_eq!(stale(root, &binary, None).as_deref(), Some("main.rs changed"));
        assert_eq!(stale(root, &binary, Some(later)), None);
        std::fs::remove_file(&source).expect("it is there");
        assert_eq!(stale(root, &binary, None).as_deref(), Some("main.rs is gone"));
    }
}
