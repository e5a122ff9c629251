//! The evidence of a test run on containers: its images, Terraform, commit and tests.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::builds::BuildsFile;
use devenv_artifacts::contents::{IMAGE, Memory};
use devenv_artifacts::repository::{self, TrackedFile};
use devenv_document::input;
use devenv_model::evidence::{Circumstances, Evidence, NO_EMULATOR, ProvenTest, surplus, tree_digest};
use devenv_model::manifest::EmulatorKind;
use devenv_rehearsal::services::digests;
use devenv_runtime::{EMULATOR_IMAGE, Error as RuntimeError, Project};
use devenv_supervisor::files::replace;

use crate::error::Error;
use crate::run::TestRun;

/// The folder whose tracked files evidence covers.
pub const TERRAFORM: &str = "terraform";
/// Files to keep that count for a promotion, and as many that do not; older evidence is removed.
const KEPT: usize = 30;

/// The tested state, read before the tests begin: a commit made meanwhile must not pass for the tested one.
pub(crate) struct Subject {
    images: BTreeMap<String, String>,
    sources: BTreeMap<String, String>,
    configuration: BTreeMap<String, String>,
    terraform: String,
    commit: String,
    dirty: bool,
    emulator: Option<EmulatorKind>,
    began: jiff::Timestamp,
}

impl Subject {
    /// Whether anything can be promoted: without a target in `devenv.toml` or Terraform in a repository, the images need not be
    /// read.
    pub(crate) async fn is_possible(project: &Project) -> bool {
        let tracked = repository::tracked(&project.instance.root, TERRAFORM).await;
        tracked.is_some_and(|files| !files.is_empty() || !project.manifest.promote.is_empty())
    }

    /// `images` are the digests of the running images, by service. Returns `None` outside a repository: nothing can be promoted
    /// there. Without AWS there is no emulator.
    pub(crate) async fn of(
        project: &Project,
        images: BTreeMap<String, String>,
        emulator: Option<EmulatorKind>,
    ) -> Result<Option<Self>, Error> {
        let root = &project.instance.root;
        let (commit, tracked, dirty) =
            tokio::join!(repository::head(root), repository::tracked(root, TERRAFORM), repository::is_dirty(root));
        let (Some(commit), Some(tracked)) = (commit, tracked) else {
            return Ok(None);
        };
        let terraform = digest(root, &tracked)?;
        let built = project.manifest.services.values().filter(|service| service.build.is_some());
        let sources = sources(built.map(|service| service.name.as_str()), &project.builds, &images);
        let configuration = digests(&project.manifest);
        let began = jiff::Timestamp::now();
        Ok(Some(Self { images, sources, configuration, terraform, commit, dirty, emulator, began }))
    }

    /// Writes the results of the tests into a new file, whether or not they count for a promotion. Returns its path.
    pub(crate) fn keep(
        self,
        project: &Project,
        run: &TestRun,
        arguments: &[String],
    ) -> Result<(Utf8PathBuf, Evidence), Error> {
        let tests = run.tests.iter();
        let image_of = |kind| project.manifest.emulator.image(kind).unwrap_or(EMULATOR_IMAGE);
        let (emulator, image) = self.emulator.map_or((NO_EMULATOR, NO_EMULATOR), |kind| (kind.name(), image_of(kind)));
        let evidence = Evidence {
            images: self.images,
            terraform: self.terraform,
            circumstances: Circumstances {
                project: project.manifest.name.clone(),
                commit: self.commit,
                dirty: self.dirty,
                emulator: emulator.to_owned(),
                emulator_image: image.to_owned(),
                filtered: run.filtered || !arguments.is_empty(),
                began: self.began.to_string(),
                seconds: run.elapsed.as_secs_f64(),
                failure: run.failure.clone(),
                results_from: run.results_from.clone(),
                sources: self.sources,
                configuration: self.configuration,
            },
            tests: tests
                .map(|test| ProvenTest { name: test.name.clone(), outcome: test.outcome, seconds: test.seconds })
                .collect(),
        };
        let content = evidence.to_json();
        let prefix = format!("{}-{}", self.began.strftime("%Y%m%dT%H%M%SZ"), emulator);
        let folder = project.state.evidence();
        let path = folder.join(Evidence::file_name(&prefix, &content));
        // Atomic: a reader mistakes a partly written file for a damaged one.
        let written = std::fs::create_dir_all(&folder).and_then(|()| replace(&path, content.as_bytes()));
        written.map_err(|source| RuntimeError::State { path: path.clone(), source })?;
        evict(&folder);
        Ok((path, evidence))
    }
}

/// The digests of the files from which Dockerfiles made the images of these services, by service. `images` are their digests.
fn sources<'a>(
    services: impl IntoIterator<Item = &'a str>,
    builds: &BuildsFile,
    images: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let known = builds.read().images;
    let of = |service: &str| {
        let made = Memory::new(builds.folder(), service, IMAGE).read()?;
        let digest = images.get(service)?;
        // The memory may already be that of a later build.
        let is_its = known.values().any(|image| image.id == made.result && image.digest == *digest);
        is_its.then(|| (service.to_owned(), made.sources()))
    };
    services.into_iter().filter_map(of).collect()
}

/// The evidence files in a folder, names and contents, oldest first: their names begin with their time.
pub fn files(folder: &Utf8Path) -> Result<Vec<(String, Vec<u8>)>, RuntimeError> {
    let failed = |source| RuntimeError::ReadFile { path: folder.to_owned(), source };
    let mut files = Vec::new();
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.path().extension() == Some("json") {
            files.push((entry.file_name().to_owned(), input::read(entry.path(), input::KEPT_LIMIT).map_err(failed)?));
        }
    }
    files.sort();
    Ok(files)
}

/// Removes older evidence. A file that cannot be removed stays.
fn evict(folder: &Utf8Path) {
    let files = files(folder).unwrap_or_default();
    let read: Vec<_> = files.iter().map(|(name, content)| (name.clone(), Evidence::read(name, content))).collect();
    for name in surplus(&read, KEPT) {
        let _ = std::fs::remove_file(folder.join(name));
    }
}

fn digest(root: &Utf8Path, tracked: &[TrackedFile]) -> Result<String, RuntimeError> {
    let files = contents(root, tracked)?;
    Ok(tree_digest(files.iter().map(|(path, mode, content)| (path.as_str(), *mode, content.as_slice()))))
}

/// Path, mode and content of each file; the content of a symbolic link is its target.
pub fn contents(root: &Utf8Path, tracked: &[TrackedFile]) -> Result<Vec<(String, u32, Vec<u8>)>, RuntimeError> {
    let mut files = Vec::new();
    for file in tracked {
        let path = root.join(&file.path);
        let content = if path.is_symlink() {
            std::fs::read_link(&path).map(|target| target.as_os_str().as_bytes().to_vec())
        } else {
            input::read(&path, input::KEPT_LIMIT)
        };
        match content {
            Ok(content) => files.push((file.path.clone(), file.mode, content)),
            // Removed and not yet committed: the tree is dirty, and its digest differs.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(RuntimeError::ReadFile { path, source }),
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use devenv_artifacts::builds::MadeImage;
    use devenv_artifacts::contents::look;

    use super::*;

    #[test]
    fn sources_are_those_that_the_tested_image_was_built_from() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let builds = BuildsFile::within(root);
        let file = [("app.py".to_owned(), b"1".to_vec())];
        let built = look(root, &[], &file, b"", None, str::to_owned).expect("readable");
        Memory::new(root, "web", IMAGE).keep(&built, "sha256:id");
        let image = MadeImage { id: "sha256:id".to_owned(), digest: "sha256:1".to_owned(), revision: None, head: None };
        let mut known = builds.read();
        known.images.insert("service/web".to_owned(), image);
        builds.write(&known);
        let of = |digest: &str| sources(["web", "api"], &builds, &[("web".to_owned(), digest.to_owned())].into());
        assert_eq!(of("sha256:1"), [("web".to_owned(), built.sources())].into());
        assert!(of("sha256:2").is_empty(), "another image ran");
    }

    #[test]
    fn a_file_that_was_changed_or_removed_is_another_tree() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        std::fs::write(root.join("a"), "1").expect("writable");
        std::fs::write(root.join("b"), "2").expect("writable");
        let tracked = ["a", "b"].map(|path| TrackedFile { path: path.to_owned(), mode: 0o100_644 });
        let of = || digest(root, &tracked).expect("readable");
        let first = of();
        assert_eq!(first, of());
        std::fs::write(root.join("b"), "3").expect("writable");
        let changed = of();
        std::fs::remove_file(root.join("b")).expect("ours");
        let removed = of();
        assert!(first != changed && changed != removed && first != removed);
    }
}
