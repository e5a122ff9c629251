//! Compiles within the engine, if this machine cannot build static Linux programs or the user prefers a container.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::ready;
use futures_util::{StreamExt, stream};
use tokio::process::Command;

use crate::archive::context;
use crate::engine::{BuildOrder, ContainerEngine};
use crate::toolchain;
use devenv_artifacts::cargo::{Built, binary_of, complaints};
use devenv_artifacts::compilation::{Compilation, ImageWorkspace};
use devenv_artifacts::error::BuildError;
use devenv_runtime::{BuildInEngine, Error, LocalProject};

/// devenv's own two files in the build context, beside the sources.
const DOCKERFILE: &str = ".devenv.Dockerfile";
const SCRIPT: &str = ".devenv.build.sh";
/// The image's file with Cargo's messages, beside the programs.
const MESSAGES: &str = "messages.json";
/// The image's file that names the C library.
const C_LIBRARY: &str = "c-library";

/// Programs compiled in a container, by package, and the C library they are linked with.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) built: BTreeMap<String, Built>,
    pub(crate) c_library: Option<String>,
}

/// Compiles the packages with a multi-stage Dockerfile and copies the programs out of the image, to a folder below
/// `.devenv/`, together with Cargo's dependency files.
pub(crate) async fn build(
    engine: &dyn ContainerEngine,
    project: &LocalProject,
    place: &BuildInEngine,
    architecture: &str,
    packages: &[String],
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Programs, Error> {
    let root = &project.instance.root;
    let shipped = project.manifest.image_packages();
    let compilation = Compilation::in_container(&ImageWorkspace { root, packages: &shipped }, architecture);
    let script = script(&compilation, packages);
    let extra = [(DOCKERFILE, include_str!("Dockerfile").to_owned()), (SCRIPT, script)];
    let unreadable = |source| Error::ReadFile { path: root.clone(), source };
    let sources = context(root, &tracked(root).await?, &extra).map_err(unreadable)?;
    let order = BuildOrder {
        dockerfile: DOCKERFILE.to_owned(),
        arguments: [("BUILDER", &place.builder), ("SYSTEM", &project.manifest.name)]
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .into(),
        tag: format!("devenv-build-{}:local", project.instance.name),
        platform: place.platform.clone(),
        ..BuildOrder::default()
    };
    let output = Mutex::new(Vec::new());
    let told = |line: String| {
        progress(line.clone());
        output.lock().expect("no panic while held").push(line);
    };
    let sources = stream::once(ready(Ok(sources.into()))).boxed();
    let outcome = engine.build(&order, sources, &told).await;
    if let Err(error) = outcome {
        let mut lines = complaints(output.into_inner().unwrap_or_default());
        lines.push(error.cause);
        return Err(BuildError::Failed { packages: packages.to_vec(), output: lines }.into());
    }
    let archive = engine.files(&order.tag).await?;
    let removed = engine.remove_image(&order.tag).await;
    if let Err(error) = removed {
        tracing::debug!(%error, "cannot remove the build's image");
    }
    take_out(&archive, root, &project.programs, packages)
}

/// Lists the files that `git` tracks or would add.
async fn tracked(root: &Utf8Path) -> Result<Vec<String>, Error> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().await;
    let failed = |cause: String| Error::ReadFile { path: root.to_owned(), source: std::io::Error::other(cause) };
    let output = output.map_err(|error| failed(format!("cannot start git: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("git: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn script(compilation: &Compilation, packages: &[String]) -> String {
    let arguments: Vec<String> = compilation.arguments(packages).iter().map(|word| quoted(word)).collect();
    let folder = compilation.artifacts_dir();
    let mut lines =
        vec!["set -eu".to_owned(), "mkdir /out".to_owned(), format!("cargo {} > /out/{MESSAGES}", arguments.join(" "))];
    for file in packages.iter().flat_map(|package| [package.clone(), format!("{package}.d")]) {
        lines.push(format!("cp {} /out/", quoted(folder.join(file).as_str())));
    }
    lines.push(format!("{{ {}; }} > /out/{C_LIBRARY}", toolchain::SCRIPT));
    lines.join("\n") + "\n"
}

/// Quotes a word for a POSIX shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn take_out(archive: &[u8], root: &Utf8Path, folder: &Utf8Path, packages: &[String]) -> Result<Programs, Error> {
    let failed = |source| Error::State { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut versions = BTreeMap::new();
    let mut c_library = None;
    for entry in tar::Archive::new(archive).entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let Some(name) = entry.path().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned())) else {
            continue;
        };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(failed)?;
        let package = name.strip_suffix(".d").unwrap_or(&name);
        if name == MESSAGES {
            let lines = String::from_utf8_lossy(&content).into_owned();
            versions = lines.lines().filter_map(binary_of).map(|(package, built)| (package, built.version)).collect();
        } else if name == C_LIBRARY {
            c_library = String::from_utf8(content).ok();
        } else if packages.iter().any(|wanted| wanted == package) {
            if package != name {
                // In the container, Cargo saw the sources below /source.
                let text = String::from_utf8_lossy(&content).replace("/source/", &format!("{root}/"));
                content = text.into_bytes();
            }
            std::fs::write(folder.join(&name), content).map_err(failed)?;
        }
    }
    let path = |package: &String| -> Utf8PathBuf { folder.join(package) };
    let built: Result<_, _> = packages
        .iter()
        .map(|package| match versions.remove(package) {
            Some(version) => Ok((package.clone(), Built { path: path(package), version })),
            None => Err(BuildError::NoBinary { package: package.clone() }),
        })
        .collect();
    Ok(Programs { built: built?, c_library })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_to_the_shell() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn the_script_compiles_and_hands_out_each_program_with_its_sources() {
        let packages = ["api".to_owned()];
        let workspace = ImageWorkspace { root: Utf8Path::new("/nowhere"), packages: &packages };
        let script = script(&Compilation::in_container(&workspace, "x86_64"), &packages);
        assert!(script.contains("'--bin' 'api'") && script.contains("crt-static"), "{script}");
        assert!(script.contains("cp '/source/target/x86_64-unknown-linux-gnu/image/api' /out/"), "{script}");
        assert!(script.contains("cp '/source/target/x86_64-unknown-linux-gnu/image/api.d' /out/"), "{script}");
    }
}
