//! The images that are made of the running program itself: of the emulator that is part of `devenv`, for projects that name no other,
//! and of the guard that is part of `devenv-promote`.
//!
//! A program that is not static takes the libraries along that the running process has mapped: containers then run it with
//! this machine's own loader, whatever their base.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_engine::Error;
use devenv_model::names::short_digest;

use crate::archive::{ImageSource, assemble};
use crate::engine::ContainerEngine;
use crate::images::loaded;
use crate::scope::SYSTEM;

const NAME: &str = "devenv";
/// The label with the fingerprint of the program.
const PROGRAM: &str = "devenv.program";
const FINGERPRINT_BYTES: usize = 12;

/// The part of the program that an image is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Role {
    /// The image's name in the engine; a newer program takes it over.
    reference: &'static str,
    /// The value of the label [`SYSTEM`], by which replaced images are found.
    owner: &'static str,
    /// The program's first argument, unless the container has it.
    argument: Option<&'static str>,
}

pub(crate) const EMULATOR: Role =
    Role { reference: "devenv-emulator:own", owner: "devenv-emulator", argument: Some("emulator") };
pub(crate) const GUARD: Role = Role { reference: "devenv-guard:own", owner: "devenv-guard", argument: None };

#[derive(Debug)]
pub(crate) struct OwnImage {
    role: Role,
    program: Utf8PathBuf,
    architecture: String,
    fingerprint: String,
}

impl OwnImage {
    /// `program` is the running one.
    pub(crate) fn of(role: Role, program: Utf8PathBuf, architecture: &str) -> Result<Self, Error> {
        let unreadable = |source| Error::ReadFile { path: program.clone(), source };
        let facts = std::fs::metadata(&program).map_err(unreadable)?;
        let fingerprint = format!("{program} {} {}.{}", facts.len(), facts.mtime(), facts.mtime_nsec());
        let fingerprint = short_digest(fingerprint, FINGERPRINT_BYTES);
        Ok(Self { role, program, architecture: architecture.to_owned(), fingerprint })
    }

    /// Returns the engine's id of the image, if it was made of this program.
    pub(crate) async fn id(&self, engine: &dyn ContainerEngine) -> Result<Option<String>, Error> {
        let found = engine.image(self.role.reference).await?;
        Ok(found.filter(|image| image.labels.get(PROGRAM) == Some(&self.fingerprint)).map(|image| image.id))
    }

    /// Makes the image, and removes the replaced ones. Returns the engine's id.
    pub(crate) async fn make(&self, engine: &dyn ContainerEngine) -> Result<String, Error> {
        let Role { reference, owner, argument } = self.role;
        let read =
            |path: &Utf8Path| std::fs::read(path).map_err(|source| Error::ReadFile { path: path.to_owned(), source });
        let program = read(&self.program)?;
        let mut libraries = Vec::new();
        for path in libraries_of(&mapped()?) {
            libraries.push((path.file_name().unwrap_or_default().to_owned(), read(&path)?));
        }
        let labels = [(SYSTEM, owner), (PROGRAM, self.fingerprint.as_str())];
        let labels: BTreeMap<String, String> = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let unreadable = |source| Error::ReadFile { path: self.program.clone(), source };
        let image = assemble(&ImageSource {
            name: NAME,
            program: &program,
            libraries: &libraries,
            entrypoint: &entrypoint(libraries.iter().map(|(name, _)| name.as_str()), argument),
            architecture: &self.architecture,
            labels: &labels,
            environment: &[],
        })
        .map_err(unreadable)?;
        engine.load(image.archive(Some(reference)).map_err(unreadable)?).await?;
        let id = loaded(engine, &image).await?.ok_or_else(|| Error::NoImage { package: reference.to_owned() })?;
        engine.tag(&id, reference).await?;
        for replaced in engine.unnamed_images(&format!("{SYSTEM}={owner}")).await.unwrap_or_default() {
            if let Err(error) = engine.remove_image(&replaced).await {
                tracing::debug!(image = %replaced, %error, "cannot remove a replaced image");
            }
        }
        Ok(id)
    }
}

/// The memory map of this process.
fn mapped() -> Result<String, Error> {
    let path = "/proc/self/maps";
    std::fs::read_to_string(path).map_err(|source| Error::ReadFile { path: path.into(), source })
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

fn entrypoint<'a>(mut libraries: impl Iterator<Item = &'a str>, argument: Option<&str>) -> Vec<String> {
    let program = [format!("/{NAME}")].into_iter().chain(argument.map(str::to_owned));
    let loader = libraries.find(|name| is_loader(name));
    let loaded = loader.map(|loader| [format!("/lib/{loader}"), "--library-path".to_owned(), "/lib".to_owned()]);
    loaded.into_iter().flatten().chain(program).collect()
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

    #[test]
    fn a_dynamic_program_takes_its_libraries_and_their_loader_along() {
        let libraries = libraries_of(MAP);
        let names: Vec<&str> = libraries.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["ld-linux-x86-64.so.2", "libc.so.6"]);
        let expected = ["/lib/ld-linux-x86-64.so.2", "--library-path", "/lib", "/devenv", "emulator"];
        assert_eq!(entrypoint(names.into_iter(), Some("emulator")), expected);
    }

    #[test]
    fn a_static_program_is_alone() {
        let map = MAP.lines().filter(|line| !line.contains(".so.")).collect::<Vec<_>>().join("\n");
        assert!(libraries_of(&map).is_empty());
        assert_eq!(entrypoint(std::iter::empty(), Some("emulator")), ["/devenv", "emulator"]);
        assert_eq!(entrypoint(std::iter::empty(), None), ["/devenv"]);
    }
}
