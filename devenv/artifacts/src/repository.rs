//! Facts about the sources from their Git repository.

use camino::{Utf8Path, Utf8PathBuf};
use std::process::Command;

/// The suffix of the revision of sources with uncommitted changes.
const CHANGED: &str = "-dirty";

/// The last commit that changed any of these files, with `-dirty` if they differ from it; `None` outside a repository. A
/// commit that does not change them does not change their revision.
pub async fn revision(root: &Utf8Path, sources: &[Utf8PathBuf]) -> Option<String> {
    let paths: Vec<&str> =
        sources.iter().filter_map(|source| source.strip_prefix(root).ok()).map(Utf8Path::as_str).collect();
    let log = [&["log", "-1", "--format=%H", "--"][..], &paths].concat();
    let status = [&["status", "--porcelain", "--untracked-files=all", "--"][..], &paths].concat();
    let (commit, changes) = tokio::join!(git(root, &log), git(root, &status));
    let commit = commit.filter(|commit| !commit.is_empty())?;
    let changed = changes.is_none_or(|changes| !changes.is_empty());
    Some(if changed { commit + CHANGED } else { commit })
}

pub fn is_committed(revision: Option<&str>) -> bool {
    revision.is_some_and(|revision| !revision.ends_with(CHANGED))
}

/// The checked-out commit; `None` outside a repository.
pub async fn head(root: &Utf8Path) -> Option<String> {
    git(root, &["rev-parse", "HEAD"]).await
}

/// Whether anything here differs from the checked-out commit, including untracked files that git does not ignore.
pub async fn is_dirty(root: &Utf8Path) -> bool {
    git(root, &["status", "--porcelain", "--untracked-files=normal"]).await.is_none_or(|changes| !changes.is_empty())
}

/// The abbreviated hashes and subjects of at most 50 commits from `from` to `to`, newest first; `None` if git does not know
/// both.
pub async fn subjects(root: &Utf8Path, from: &str, to: &str) -> Option<Vec<String>> {
    let range = format!("{from}..{to}");
    let listed = git(root, &["log", "--format=%h %s", "--max-count=50", &range]).await?;
    Some(listed.lines().map(str::to_owned).collect())
}

/// A tracked file: its path relative to the root, and its mode, such as `0o100644`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedFile {
    pub path: String,
    pub mode: u32,
}

/// The tracked files below a folder; `None` outside a repository.
pub async fn tracked(root: &Utf8Path, folder: &str) -> Option<Vec<TrackedFile>> {
    let listed = git(root, &["ls-files", "--stage", "-z", "--", folder]).await?;
    // `MODE DIGEST STAGE<tab>PATH`; a file in conflict has several stages.
    let file = |entry: &str| {
        let (facts, path) = entry.split_once('\t')?;
        let mode = u32::from_str_radix(facts.split(' ').next()?, 8).ok()?;
        Some(TrackedFile { path: path.to_owned(), mode })
    };
    Some(listed.split('\0').filter_map(file).collect())
}

/// The repository's address, without credentials; `None` if it is a folder of this machine.
pub async fn source(root: &Utf8Path) -> Option<String> {
    network_address(&git(root, &["config", "--get", "remote.origin.url"]).await?)
}

async fn git(root: &Utf8Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments);
    // On a blocking thread instead of tokio's process: a test's paused clock then stands still until git has answered.
    let output = tokio::task::spawn_blocking(move || command.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The address for a browser: `git@host:path` becomes `https://host/path`; `None` for a folder of this machine.
fn network_address(address: &str) -> Option<String> {
    let address = match address.split_once('@') {
        Some((user, rest)) if !user.contains('/') && rest.contains(':') => {
            format!("https://{}", rest.replacen(':', "/", 1))
        }
        _ => address.to_owned(),
    };
    let mut url = url::Url::parse(&address).ok()?;
    if !matches!(url.scheme(), "http" | "https" | "ssh" | "git") || url.host_str().is_none() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let text = url.to_string();
    Some(text.strip_suffix(".git").unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_credentials_and_is_of_the_network() {
        let of = |address| network_address(address);
        assert_eq!(of("git@example.com:team/orders.git").as_deref(), Some("https://example.com/team/orders"));
        assert_eq!(of("https://me:secret@example.com/orders.git").as_deref(), Some("https://example.com/orders"));
        assert_eq!(of("https://example.com/orders").as_deref(), Some("https://example.com/orders"));
        for local in ["/home/me/orders", "../orders", "file:///home/me/orders", ""] {
            assert_eq!(of(local), None, "{local}");
        }
    }

    #[tokio::test]
    async fn a_revision_is_of_its_own_files() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let of = async |name: &str| revision(root, &[root.join(name)]).await;
        let commit = async |name: &str, text: &str| {
            std::fs::write(root.join(name), text).expect("writable");
            git(root, &["add", "."]).await.expect("a repository");
            let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
            git(root, &[&who[..], &["commit", "--quiet", "-m", name]].concat()).await.expect("committed");
            head(root).await.expect("a commit")
        };
        assert_eq!(of("a").await, None);
        git(root, &["init", "--quiet"]).await.expect("git is here");
        let first = commit("a", "1").await;
        commit("b", "1").await;
        assert_eq!(of("a").await.as_ref(), Some(&first));
        std::fs::write(root.join("a"), "2").expect("writable");
        let changed = of("a").await;
        assert_eq!(changed, Some(first.clone() + CHANGED));
        assert!(!is_committed(changed.as_deref()) && is_committed(Some(&first)));
        assert_eq!(commit("a", "2").await, of("a").await.expect("committed"));
    }

    #[tokio::test]
    async fn what_git_knows_is_listed_and_what_it_does_not_know_is_dirt() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        assert_eq!(tracked(root, "t").await, None);
        git(root, &["init", "--quiet"]).await.expect("git is here");
        std::fs::create_dir(root.join("t")).expect("new");
        std::fs::write(root.join("t/a b.tf"), "").expect("writable");
        std::fs::write(root.join("c.tf"), "").expect("writable");
        assert!(is_dirty(root).await);
        git(root, &["add", "."]).await.expect("a repository");
        let listed = tracked(root, "t").await.expect("a repository");
        assert_eq!(listed, [TrackedFile { path: "t/a b.tf".to_owned(), mode: 0o100_644 }]);
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        git(root, &[&who[..], &["commit", "--quiet", "-m", "all"]].concat()).await.expect("committed");
        assert!(!is_dirty(root).await);
    }
}
