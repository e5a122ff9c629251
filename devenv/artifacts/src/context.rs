//! The context of a Dockerfile: the files that a build sees, under the rules of `.dockerignore`.

use std::io;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use devenv_document::input;
use devenv_model::dockerfile::{Dockerfile, DockerfileBuild};

use crate::contents::{Look, Made, look};
use crate::dockerignore::DockerIgnore;
use crate::error::FilesError;
use crate::tree::{Found, walk};

/// The largest Dockerfile or list of patterns.
const LARGEST_TEXT: u64 = 1 << 20;
/// The name, within the context, of a Dockerfile from elsewhere.
const OWN_DOCKERFILE: &str = ".devenv.Dockerfile";
const IGNORE: &str = ".dockerignore";

/// The files of a build.
#[derive(Debug, Clone)]
pub struct Context {
    pub root: Utf8PathBuf,
    pub found: Vec<Found>,
    /// Files beside those of the folder, which they replace, by their names.
    pub extra: Vec<(String, Vec<u8>)>,
    /// The Dockerfile's path within the context.
    pub dockerfile: String,
    /// The Dockerfile's text.
    pub text: String,
}

impl Context {
    /// Lists the files. `left_out` are absolute paths that no build sees: devenv's own state.
    pub fn of(build: &DockerfileBuild, left_out: &[Utf8PathBuf]) -> Result<Self, FilesError> {
        let root = cleaned(&build.context);
        if !root.is_dir() {
            return Err(FilesError::NoContext { path: root });
        }
        let own = match &build.dockerfile {
            Dockerfile::Inline(text) => OwnDockerfile { path: None, within: None, text: text.clone() },
            Dockerfile::File(path) => OwnDockerfile::read(&root, &cleaned(path))?,
        };
        let ignored = match &own.path {
            Some(path) => read(&Utf8PathBuf::from(format!("{path}{IGNORE}")))?,
            None => None,
        };
        let (list, ignored) = match ignored {
            Some(text) => (own.path.as_ref().map(|path| format!("{path}{IGNORE}")), Some(text)),
            None => (Some(root.join(IGNORE).into_string()), read(&root.join(IGNORE))?),
        };
        let patterns = ignored.unwrap_or_default();
        let bad = |cause| FilesError::Ignore { path: list.clone().unwrap_or_default().into(), cause };
        // The builder reads both; it leaves them out of the image itself where the patterns name them.
        let kept = own.within.iter().cloned().chain([IGNORE.to_owned()]).collect();
        let filter = DockerIgnore::parse(&patterns).map_err(bad)?.within(&root, kept, left_out);
        let found = walk(&root, &filter)?;
        let OwnDockerfile { within, text, .. } = own;
        let mut context = Self { root, found, extra: Vec::new(), dockerfile: within.unwrap_or_default(), text };
        if context.dockerfile.is_empty() {
            context.add_dockerfile()?;
        }
        Ok(context)
    }

    /// Adds a Dockerfile from elsewhere, and keeps it out of the image.
    fn add_dockerfile(&mut self) -> Result<(), FilesError> {
        let patterns = read(&self.root.join(IGNORE))?.unwrap_or_else(|| IGNORE.to_owned());
        self.found.retain(|found| found.path != IGNORE && found.path != OWN_DOCKERFILE);
        self.extra.push((IGNORE.to_owned(), format!("{patterns}\n{OWN_DOCKERFILE}\n").into_bytes()));
        self.extra.push((OWN_DOCKERFILE.to_owned(), self.text.clone().into_bytes()));
        OWN_DOCKERFILE.clone_into(&mut self.dockerfile);
        Ok(())
    }

    /// Compares the files with those of the last build. `project` is the folder to which paths are shown relative.
    pub fn look(&self, build: &DockerfileBuild, made: Option<&Made>, project: &Utf8Path) -> io::Result<Look> {
        let settings = serde_json::to_vec(build).expect("a build is plain data");
        let dockerfile = match &build.dockerfile {
            Dockerfile::File(path) => cleaned(path),
            Dockerfile::Inline(_) => self.root.join("the Dockerfile"),
        };
        let shown = |path: &str| {
            let path = if path == OWN_DOCKERFILE { dockerfile.clone() } else { self.root.join(path) };
            path.strip_prefix(project).unwrap_or(&path).to_string()
        };
        look(&self.root, &self.found, &self.extra, &settings, made, shown)
    }
}

struct OwnDockerfile {
    /// `None` if its text is in the Compose file.
    path: Option<Utf8PathBuf>,
    /// Its path within the context; `None` if it is elsewhere.
    within: Option<String>,
    text: String,
}

impl OwnDockerfile {
    fn read(root: &Utf8Path, path: &Utf8Path) -> Result<Self, FilesError> {
        let text = read(path)?.ok_or_else(|| FilesError::NoDockerfile { path: path.to_owned() })?;
        // A link may lead out of the context, where the builder does not follow it.
        let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        let within = path.strip_prefix(root).ok().filter(|_| !is_link).map(|path| path.as_str().to_owned());
        Ok(Self { path: Some(path.to_owned()), within, text })
    }
}

/// The text of a file; `None` if there is none.
fn read(path: &Utf8Path) -> Result<Option<String>, FilesError> {
    let unread = |source| FilesError::Read { path: path.to_owned(), source };
    match input::read(path, LARGEST_TEXT) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|error| unread(io::Error::other(error))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(error)),
    }
}

/// Resolves `.` and `..` by the path's text alone.
fn cleaned(path: &Utf8Path) -> Utf8PathBuf {
    let mut cleaned = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::ParentDir => {
                cleaned.pop();
            }
            Utf8Component::CurDir => {}
            other => cleaned.push(other),
        }
    }
    cleaned
}

#[cfg(test)]
pub(crate) mod tests {

    use super::*;

    fn build(context: &Utf8Path, dockerfile: Dockerfile) -> DockerfileBuild {
        DockerfileBuild::new(context.to_owned(), dockerfile)
    }

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        for (path, text) in files {
            std::fs::create_dir_all(root.join(path).parent().expect("below the root")).expect("writable");
            std::fs::write(root.join(path), text).expect("writable");
        }
        (folder, root)
    }

    fn paths(context: &Context) -> Vec<&str> {
        context.found.iter().map(|found| found.path.as_str()).collect()
    }

    #[test]
    fn the_dockerfile_and_the_list_stay_whatever_the_list_says() {
        let files =
            [("web/Dockerfile", "FROM x"), ("web/.dockerignore", "*\n!app.py"), ("web/app.py", ""), ("web/b", "")];
        let (_kept, root) = folder(&files);
        let context = root.join("web");
        let context =
            Context::of(&build(&context, Dockerfile::File(context.join("Dockerfile"))), &[]).expect("readable");
        assert_eq!(paths(&context), [".dockerignore", "Dockerfile", "app.py"]);
        assert_eq!((context.dockerfile.as_str(), context.text.as_str()), ("Dockerfile", "FROM x"));
        assert!(context.extra.is_empty());
    }

    #[test]
    fn a_dockerfile_has_a_list_of_its_own_and_may_be_elsewhere() {
        let files = [
            ("web/app.py", ""),
            ("web/b", ""),
            ("web/.dockerignore", "app.py"),
            ("docker/web.Dockerfile", "FROM y"),
            ("docker/web.Dockerfile.dockerignore", "b"),
        ];
        let (_kept, root) = folder(&files);
        let context = root.join("web");
        let file = Dockerfile::File(context.join("../docker/web.Dockerfile"));
        let elsewhere = Context::of(&build(&context, file), &[]).expect("readable");
        assert_eq!(paths(&elsewhere), ["app.py"]);
        assert_eq!(elsewhere.dockerfile, OWN_DOCKERFILE);
        let [(list, patterns), (_, text)] = &elsewhere.extra[..] else { panic!("two files") };
        assert_eq!((list.as_str(), &patterns[..]), (IGNORE, &b"app.py\n.devenv.Dockerfile\n"[..]));
        assert_eq!(text, b"FROM y");
        let inline = Context::of(&build(&context, Dockerfile::Inline("FROM z".to_owned())), &[]).expect("readable");
        assert_eq!((paths(&inline), inline.text.as_str()), (vec!["b"], "FROM z"));
    }

    #[test]
    fn a_change_has_its_path_in_the_project_and_state_does_not_count() {
        let (_kept, root) = folder(&[("Dockerfile", "FROM x"), ("a", "1"), (".devenv/log", "1")]);
        let build = build(&root, Dockerfile::File(root.join("Dockerfile")));
        let of = || Context::of(&build, &[root.join(".devenv")]).expect("readable");
        let memory = crate::contents::Memory::new(&root.join(".devenv"), "web", "image");
        memory.keep(&of().look(&build, None, &root).expect("readable"), "sha256:1");
        let stale = || of().look(&build, memory.read().as_ref(), &root).expect("readable").stale;
        std::fs::write(root.join(".devenv/log"), "22").expect("writable");
        assert_eq!(stale(), None);
        std::fs::write(root.join("a"), "22").expect("writable");
        assert_eq!(stale().as_deref(), Some("a changed"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let (_kept, root) = folder(&[("a", "")]);
        let file = || Dockerfile::File(root.join("Dockerfile"));
        let absent = Context::of(&build(&root, file()), &[]).expect_err("there is none");
        assert!(matches!(absent, FilesError::NoDockerfile { path } if path == root.join("Dockerfile")));
        let absent = Context::of(&build(&root.join("b"), file()), &[]).expect_err("there is none");
        assert!(matches!(absent, FilesError::NoContext { path } if path == root.join("b")));
    }
}
