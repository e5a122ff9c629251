//! The images that are made without sources: of the embedded emulator, for projects that name no other, of the function host, and of the
//! guard of a rehearsal. The emulator's has one of two programs: the static emulator beside this `devenv`, or else this very program, which
//! has the emulator in it. The guard is part of `devenv-promote`, and the function host a program beside `devenv`.
//!
//! A program that is not static takes the libraries along that the running process has mapped: containers then run it with
//! this machine's own loader, whatever their base.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::builds::{Binary, MadeImage};
use devenv_artifacts::bundled::{self, Bundled};
use devenv_runtime::{EMULATOR_IMAGE, Error, FUNCTION_HOST_PROGRAM, HostError, HostErrorKind, own_program};
use devenv_supervisor::clock;

use crate::archive;
use crate::images::{Content, Images, can_compile};
use crate::scope::SYSTEM;

/// The name of this program in its image.
const RUNNING: &str = "devenv";
/// The names of images of this program in the engine. A newer program takes them over.
const RUNNING_EMULATOR: &str = "devenv-emulator:own";
const RUNNING_GUARD: &str = "devenv-guard:own";
const FUNCTION_HOST: &str = "devenv-functions:own";

pub(crate) struct OwnImage<'a> {
    images: &'a Images<'a>,
    source: Source,
    /// The value of the label [`SYSTEM`], by which replaced images are found.
    owner: &'static str,
    /// The image's name in the engine, and its key among the remembered builds.
    reference: String,
}

/// The program in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    program: Utf8PathBuf,
    /// The program's file name in the image.
    name: &'static str,
    /// Its first argument, unless the container has it.
    argument: Option<&'static str>,
    /// Whether it runs without the libraries of this machine, which are then those of the program that runs this code.
    is_static: bool,
}

/// A program for containers that have files of their own.
pub(crate) struct Portable {
    /// A tar archive for the folder that the command names.
    pub(crate) archive: Vec<u8>,
    pub(crate) command: Vec<String>,
}

impl<'a> OwnImage<'a> {
    /// Fails if the engine's containers can run neither program.
    pub(crate) fn emulator(images: &'a Images<'a>) -> Result<Self, Error> {
        let devenv = own_program()?;
        let (source, reference) = match bundled::beside(&devenv, bundled::EMULATOR) {
            Some(beside) => (
                Source::beside(fitting(beside, images.architecture())?, bundled::EMULATOR),
                images.named(EMULATOR_IMAGE),
            ),
            None => (running(images, devenv, Some("emulator"))?, RUNNING_EMULATOR.to_owned()),
        };
        Ok(Self { images, source, owner: "devenv-emulator", reference })
    }

    /// Fails if the engine's containers cannot run the program beside this one.
    pub(crate) fn function_host(images: &'a Images<'a>) -> Result<Self, Error> {
        let devenv = own_program()?;
        let source = match bundled::beside(&devenv, FUNCTION_HOST_PROGRAM) {
            Some(beside) => Source::beside(fitting(beside, images.architecture())?, FUNCTION_HOST_PROGRAM),
            None => {
                let program = devenv.with_file_name(FUNCTION_HOST_PROGRAM);
                let about = images.engine().about();
                if !can_compile(about) {
                    return Err(Error::NoFunctionHostImage { program, platform: about.platform.clone() });
                }
                Source { is_static: false, ..Source::beside(program, FUNCTION_HOST_PROGRAM) }
            }
        };
        Ok(Self { images, source, owner: FUNCTION_HOST_PROGRAM, reference: FUNCTION_HOST.to_owned() })
    }

    /// The program for a folder of another container.
    pub(crate) fn portable(&self, folder: &str) -> Result<Portable, Error> {
        let Source { program, name, .. } = &self.source;
        let failed = |source| Error::ReadFile { path: program.clone(), source };
        let libraries = self.source.libraries()?;
        let content = std::fs::read(program).map_err(failed)?;
        let archive = archive::program_layer(name, &content, &libraries).map_err(failed)?;
        let command = self.source.command(folder, libraries.iter().map(|(name, _)| name.as_str()));
        Ok(Portable { archive, command })
    }

    /// This program must have the guard in it. Fails if the engine's containers cannot run it.
    pub(crate) fn guard(images: &'a Images<'a>) -> Result<Self, Error> {
        let source = running(images, own_program()?, None)?;
        Ok(Self { images, source, owner: "devenv-guard", reference: RUNNING_GUARD.to_owned() })
    }

    /// Returns the engine's id of the image, or why it must be made.
    pub(crate) async fn known(&self) -> Result<Result<String, String>, Error> {
        let remembered = self.images.project().builds.read();
        let (Some(binary), Some(image)) =
            (remembered.binaries.get(&self.reference), remembered.images.get(&self.reference))
        else {
            return Ok(Err("image not built yet".to_owned()));
        };
        let program = &self.source.program;
        let is_same = changed_at(program).is_ok_and(|changed| changed <= clock::time(binary.checked));
        if binary.path != *program || !is_same {
            return Ok(Err("another devenv is installed".to_owned()));
        }
        let present = self.images.engine().image(&image.id).await?.is_some();
        Ok(if present { Ok(image.id.clone()) } else { Err("image removed".to_owned()) })
    }

    /// Makes the image, and removes the replaced ones. Returns the engine's id.
    pub(crate) async fn make(&self, progress: &(dyn Fn(String) + Send + Sync)) -> Result<String, Error> {
        let begun = clock::now();
        let program = &self.source.program;
        progress(format!("image {} from {program}", self.reference));
        let libraries = self.source.libraries()?;
        let entrypoint = self.source.command("", libraries.iter().map(|(name, _)| name.as_str()));
        let content = Content {
            name: self.source.name,
            program,
            libraries: &libraries,
            entrypoint: &entrypoint,
            revision: None,
            c_library: None,
        };
        // No label of a project: all of this machine share the image.
        let labels = BTreeMap::from([(SYSTEM.to_owned(), self.owner.to_owned())]);
        let (id, digest) = self.images.make(&content, labels, Some(&self.reference)).await?;
        self.images.forget_replaced(self.owner).await;
        let builds = &self.images.project().builds;
        let mut remembered = builds.read();
        let binary = Binary { path: program.to_owned(), checked: begun };
        remembered.binaries.insert(self.reference.clone(), binary);
        let image = MadeImage { id: id.clone(), digest, revision: None, head: None };
        remembered.images.insert(self.reference.clone(), image);
        builds.write(&remembered);
        Ok(id)
    }
}

impl Source {
    /// A static program.
    fn beside(program: Utf8PathBuf, name: &'static str) -> Self {
        Self { program, name, argument: None, is_static: true }
    }

    /// The name and the content of each library that the program needs, the loader among them.
    fn libraries(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        if self.is_static {
            return Ok(Vec::new());
        }
        let map = "/proc/self/maps";
        let map = std::fs::read_to_string(map).map_err(|source| Error::ReadFile { path: map.into(), source })?;
        let read = |path: Utf8PathBuf| {
            let content = std::fs::read(&path).map_err(|source| Error::ReadFile { path: path.clone(), source })?;
            Ok((path.file_name().unwrap_or_default().to_owned(), content))
        };
        libraries_of(&map).into_iter().map(read).collect()
    }

    /// The command for the program in `folder`, an absolute path, or empty for the root.
    fn command<'l>(&self, folder: &str, mut libraries: impl Iterator<Item = &'l str>) -> Vec<String> {
        let (program, place) = (format!("{folder}/{}", self.name), format!("{folder}/lib"));
        let loader = libraries.find(|name| is_loader(name));
        let loaded = loader.map(|loader| [format!("{place}/{loader}"), "--library-path".to_owned(), place.clone()]);
        loaded.into_iter().flatten().chain([program]).chain(self.argument.map(str::to_owned)).collect()
    }
}

fn running(images: &Images<'_>, program: Utf8PathBuf, argument: Option<&'static str>) -> Result<Source, Error> {
    if can_compile(images.engine().about()) {
        return Ok(Source { program, name: RUNNING, argument, is_static: false });
    }
    Err(Error::NoEmulatorImage { emulator: "embedded" })
}

fn fitting(found: Bundled, wanted: &str) -> Result<Utf8PathBuf, Error> {
    if found.architecture == wanted {
        return Ok(found.path);
    }
    let cause = format!("{} is for {}, and the container engine runs {wanted}", found.path, found.architecture);
    Err(HostError { action: "assemble an image of devenv's own".to_owned(), cause, kind: HostErrorKind::Other }.into())
}

/// The last change of a file's content or of its place. An installed file may have any time of writing: the archives of devenv
/// have fixed ones.
fn changed_at(path: &Utf8Path) -> std::io::Result<SystemTime> {
    let facts = std::fs::metadata(path)?;
    let (seconds, nanoseconds) = (facts.ctime().try_into().unwrap_or(0), facts.ctime_nsec().try_into().unwrap_or(0));
    Ok(facts.modified()?.max(UNIX_EPOCH + Duration::new(seconds, nanoseconds)))
}

/// The shared libraries in a memory map, the loader among them; none for a static program.
fn libraries_of(map: &str) -> Vec<Utf8PathBuf> {
    let mut found: Vec<Utf8PathBuf> = map
        .lines()
        .filter_map(|line| line.find('/').map(|start| Utf8PathBuf::from(&line[start..])))
        .filter(|path| path.extension() == Some("so") || path.file_name().is_some_and(|name| name.contains(".so.")))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn is_loader(name: &str) -> bool {
    name.starts_with("ld-") || name.starts_with("ld.") || name.starts_with("ld64.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "\
55d0c0000000-55d0c1000000 r-xp 00000000 08:01 11 /usr/bin/devenv
7f0000000000-7f0000001000 r--p 00000000 08:01 12 /usr/lib/x86_64-linux-gnu/libc.so.6
7f0000001000-7f0000002000 r-xp 00001000 08:01 12 /usr/lib/x86_64-linux-gnu/libc.so.6
7f0000003000-7f0000004000 rw-p 00000000 00:00 0
7f0000005000-7f0000006000 r-xp 00000000 08:01 13 /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0 [vdso]
";

    fn running(argument: Option<&'static str>) -> Source {
        Source { program: "/usr/bin/devenv".into(), name: RUNNING, argument, is_static: false }
    }

    #[test]
    fn a_dynamic_program_takes_its_libraries_and_their_loader_along() {
        let libraries = libraries_of(MAP);
        let names: Vec<&str> = libraries.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["ld-linux-x86-64.so.2", "libc.so.6"]);
        let expected = ["/lib/ld-linux-x86-64.so.2", "--library-path", "/lib", "/devenv", "emulator"];
        assert_eq!(running(Some("emulator")).command("", names.iter().copied()), expected);
        let elsewhere = ["/at/lib/ld-linux-x86-64.so.2", "--library-path", "/at/lib", "/at/devenv"];
        assert_eq!(running(None).command("/at", names.into_iter()), elsewhere);
    }

    #[test]
    fn a_static_program_is_alone() {
        let map = MAP.lines().filter(|line| !line.contains(".so.")).collect::<Vec<_>>().join("\n");
        assert!(libraries_of(&map).is_empty());
        assert_eq!(running(Some("emulator")).command("", std::iter::empty()), ["/devenv", "emulator"]);
        assert_eq!(running(None).command("", std::iter::empty()), ["/devenv"]);
        let beside = Source::beside("/opt/devenv/devenv-emulator".into(), bundled::EMULATOR);
        assert!(beside.libraries().expect("nothing is read").is_empty());
        assert_eq!(beside.command("", std::iter::empty()), ["/devenv-emulator"]);
    }

    #[test]
    fn a_program_for_another_machine_is_refused() {
        let beside = Bundled { path: "/opt/devenv-emulator".into(), architecture: "arm64" };
        assert_eq!(fitting(beside.clone(), "arm64").expect("it fits"), beside.path);
        let error = fitting(beside, "amd64").expect_err("it does not run there").to_string();
        assert!(error.contains("is for arm64"), "{error}");
    }

    #[test]
    fn an_installed_file_has_changed_whatever_time_its_archive_gave_it() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8PathBuf::from_path_buf(folder.path().join("devenv")).expect("UTF-8");
        let before = SystemTime::now() - Duration::from_secs(1);
        let file = std::fs::File::create(&path).expect("writable");
        file.set_modified(UNIX_EPOCH + Duration::from_hours(87_648)).expect("ours");
        assert!(changed_at(&path).expect("readable") >= before);
    }
}
