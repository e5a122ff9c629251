//! The programs of this workspace: whether they are up to date, and how Cargo builds them.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::error::BuildError;
use crate::static_link;

/// The lines of the compiler's output that an error keeps: enough for the first mistakes.
const OUTPUT_KEPT: usize = 200;

/// The profile of `devenv` itself, so that a release `devenv` runs and measures release services.
const PROCESS_PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };
/// The workspace's profile of this name, if its `Cargo.toml` has one; else [`default_image_profile`].
const IMAGE_PROFILE: &str = "image";

/// The sources of images.
#[derive(Debug, Clone, Copy)]
pub struct ImageWorkspace<'a> {
    pub root: &'a Utf8Path,
    /// Every package that becomes an image, not only those of the current build.
    pub packages: &'a [String],
}

/// The settings of a compilation: profile, target and flags.
#[derive(Debug, Clone)]
pub struct Compilation {
    root: Utf8PathBuf,
    /// Cargo's target directory.
    folder: Utf8PathBuf,
    pub profile: &'static str,
    /// `None` for this machine.
    target: Option<String>,
    /// Settings in the format of `cargo --config`.
    config: Vec<String>,
    /// The workspace that may define the image profile; `None` if no image is compiled.
    image_workspace: Option<Utf8PathBuf>,
    /// The packages over which Cargo joins the features of their dependencies; the workspace's default members when empty.
    joined: Vec<String>,
    /// The program that links binaries statically, see [`static_link`].
    static_linker: Option<Utf8PathBuf>,
}

impl Compilation {
    /// Programs that run on this machine.
    pub fn of_processes(root: &Utf8Path) -> Self {
        Self {
            root: root.to_owned(),
            folder: target_folder(root),
            profile: PROCESS_PROFILE,
            target: None,
            config: Vec::new(),
            image_workspace: None,
            joined: Vec::new(),
            static_linker: None,
        }
    }

    /// Static programs for the images of a development run: those of [`Self::of_processes`], linked by `devenv`, which is this
    /// program. All dependencies are shared with the processes and with `devenv` itself.
    pub fn of_development_images(root: &Utf8Path, devenv: Utf8PathBuf) -> Self {
        Self { static_linker: Some(devenv), ..Self::of_processes(root) }
    }

    /// Optimized static programs for the images that tests prove and promotions ship.
    pub fn of_images(workspace: &ImageWorkspace<'_>, architecture: &str) -> Self {
        let root = workspace.root;
        Self::of_static(root, target_folder(root), cargo_home(), architecture, workspace)
    }

    /// The same in a container with the sources in `/source`, and Cargo at its place in the official Rust images.
    pub fn in_container(workspace: &ImageWorkspace<'_>, architecture: &str) -> Self {
        let root = Utf8Path::new("/source");
        Self::of_static(root, root.join("target"), "/usr/local/cargo".into(), architecture, workspace)
    }

    fn of_static(
        root: &Utf8Path,
        folder: Utf8PathBuf,
        cargo_home: Utf8PathBuf,
        architecture: &str,
        workspace: &ImageWorkspace<'_>,
    ) -> Self {
        let target = format!("{architecture}-unknown-linux-gnu");
        // Paths of the compiling machine; of several that match, rustc applies the last.
        let folders = [(root.to_owned(), "."), (folder.clone(), "target"), (cargo_home, "cargo")];
        let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
        flags.extend(folders.map(|(folder, name)| format!("--remap-path-prefix={folder}={name}")));
        let flags: Vec<String> = flags.iter().map(|flag| format!("{flag:?}")).collect();
        Self {
            root: root.to_owned(),
            folder,
            profile: IMAGE_PROFILE,
            config: vec![format!("target.{target}.rustflags=[{}]", flags.join(","))],
            image_workspace: Some(workspace.root.to_owned()),
            target: Some(target),
            joined: workspace.packages.to_vec(),
            static_linker: None,
        }
    }

    /// The key of a package in [`crate::builds::Builds`], such as `dev/order-api` or `dev-static/order-api`.
    pub fn key(&self, package: &str) -> String {
        let link = if self.static_linker.is_some() { "-static" } else { "" };
        format!("{}{link}/{package}", self.profile)
    }

    /// The expected path of the binary of `package`, unless Cargo has reported another.
    pub fn expected_binary(&self, package: &str) -> Utf8PathBuf {
        self.artifacts().join(package)
    }

    /// The folder of the binaries.
    pub fn artifacts(&self) -> Utf8PathBuf {
        let mut folder = self.folder.clone();
        folder.extend(&self.target);
        folder.push(if self.profile == "dev" { "debug" } else { self.profile });
        folder
    }

    /// The arguments of `cargo`.
    pub fn arguments(&self, packages: &[String]) -> Vec<String> {
        let fixed = ["build", "--message-format=json-render-diagnostics", "--profile", self.profile];
        let mut arguments: Vec<String> = fixed.map(str::to_owned).into();
        let profile = self.image_workspace.as_deref().map(default_image_profile).unwrap_or_default();
        let settings = self.config.iter().chain(&profile).map(|setting| ("--config", setting));
        let targets = self.target.iter().map(|target| ("--target", target));
        // The same selection for every set of binaries: another selection has other features and compiles much twice.
        let selection = self.joined.iter().map(|package| ("--package", package));
        let binaries = packages.iter().map(|package| ("--bin", package));
        for (name, value) in settings.chain(targets).chain(selection).chain(binaries) {
            arguments.extend([name.to_owned(), value.clone()]);
        }
        arguments
    }

    fn command(&self, packages: &[String]) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.args(self.arguments(packages));
        if self.target.is_some() {
            // These variables of the caller would override the settings above.
            for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_INCREMENTAL"] {
                command.env_remove(name);
            }
        }
        if let Some(devenv) = &self.static_linker {
            command.env("RUSTC_WORKSPACE_WRAPPER", devenv).env(static_link::VARIABLE, "1");
        }
        command
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// The settings of the image profile; empty if the workspace defines that profile.
fn default_image_profile(root: &Utf8Path) -> Vec<String> {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let profiles = manifest.get("profile").and_then(toml::Value::as_table);
    if profiles.is_some_and(|profiles| profiles.contains_key(IMAGE_PROFILE)) {
        return Vec::new();
    }
    let settings = ["inherits=\"release\"", "strip=\"symbols\"", "debug=false", "incremental=true"];
    settings.map(|setting| format!("profile.{IMAGE_PROFILE}.{setting}")).into()
}

fn target_folder(root: &Utf8Path) -> Utf8PathBuf {
    std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), |target| root.join(target))
}

fn cargo_home() -> Utf8PathBuf {
    let home = || std::env::var("HOME").unwrap_or_default() + "/.cargo";
    std::env::var("CARGO_HOME").unwrap_or_else(|_| home()).into()
}

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

/// Four fields of a line of `cargo build --message-format=json`. The crate `cargo_metadata` has them all, but makes every
/// first build some two seconds longer.
#[derive(Deserialize)]
struct Message {
    reason: String,
    /// The package's id, such as `path+file:///orders/services/order-api#0.1.0`.
    #[serde(default)]
    package_id: String,
    target: Option<Target>,
    executable: Option<Utf8PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// A program that Cargo built.
#[derive(Debug)]
pub struct Built {
    pub path: Utf8PathBuf,
    /// The version of the package.
    pub version: String,
}

/// Builds the packages and returns their binaries. `progress` gets each line of Cargo's standard error.
pub async fn build(
    compilation: &Compilation,
    packages: &[String],
    progress: impl Fn(String),
) -> Result<BTreeMap<String, Built>, BuildError> {
    let mut child = compilation.command(packages).spawn().map_err(|source| BuildError::CargoMissing { source })?;
    let lost = |source| BuildError::CargoMissing { source };
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let mut artifacts = BufReader::new(stdout).lines();
    let mut words = BufReader::new(stderr).lines();
    let mut binaries = BTreeMap::new();
    let mut output = Vec::new();
    let (mut more_artifacts, mut more_words) = (true, true);
    while more_artifacts || more_words {
        tokio::select! {
            line = artifacts.next_line(), if more_artifacts => match line.map_err(lost)? {
                Some(line) => binaries.extend(binary_of(&line)),
                None => more_artifacts = false,
            },
            line = words.next_line(), if more_words => match line.map_err(lost)? {
                Some(line) => {
                    progress(line.trim().to_owned());
                    output.push(line);
                }
                None => more_words = false,
            },
        }
    }
    if !child.wait().await.map_err(lost)?.success() {
        return Err(BuildError::Failed { packages: packages.to_vec(), output: complaints(output) });
    }
    for package in packages {
        if !binaries.contains_key(package) {
            return Err(BuildError::NoBinary { package: package.clone() });
        }
    }
    Ok(binaries)
}

pub fn binary_of(line: &str) -> Option<(String, Built)> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" {
        return None;
    }
    let version = message.package_id.rsplit(['#', '@']).next().unwrap_or_default().to_owned();
    Some((message.target?.name, Built { path: message.executable?, version }))
}

/// The first lines of the output, without progress lines.
pub fn complaints(output: Vec<String>) -> Vec<String> {
    const PROGRESS: [&str; 8] =
        ["Compiling", "Fresh", "Downloading", "Downloaded", "Updating", "Locking", "Checking", "Blocking"];
    output
        .into_iter()
        .filter(|line| !PROGRESS.iter().any(|word| line.trim_start().starts_with(word)))
        .take(OUTPUT_KEPT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_the_features_of_what_ships_whichever_program_is_wanted() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let packages = ["api".to_owned(), "emulator".to_owned()];
        let arguments = |packages: &[String]| {
            let workspace = ImageWorkspace { root, packages };
            Compilation::of_images(&workspace, "x86_64").arguments(&["api".to_owned()]).join(" ")
        };
        let alone = arguments(&packages);
        assert!(alone.ends_with("--package api --package emulator --bin api"), "{alone}");
        assert!(alone.contains("profile.image.inherits"), "{alone}");
        std::fs::write(root.join("Cargo.toml"), "[profile.image]\ninherits = \"release\"\n").expect("writable");
        assert!(!arguments(&packages).contains("profile.image."), "the workspace decides");
    }

    #[test]
    fn a_development_image_is_compiled_like_a_process_and_remembered_apart() {
        let root = Utf8Path::new("/project");
        let (process, image) =
            (Compilation::of_processes(root), Compilation::of_development_images(root, "/bin/devenv".into()));
        let packages = ["api".to_owned()];
        assert_eq!(image.arguments(&packages), process.arguments(&packages));
        assert_eq!((process.key("api"), image.key("api")), ("dev/api".to_owned(), "dev-static/api".to_owned()));
        let set = |compilation: &Compilation| {
            let command = compilation.command(&packages);
            let set =
                command.as_std().get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
            set.map(|(name, value)| format!("{}={}", name.display(), value.display())).collect::<Vec<_>>()
        };
        assert_eq!(set(&process), [""; 0]);
        assert_eq!(set(&image), ["DEVENV_LINK_STATICALLY=1", "RUSTC_WORKSPACE_WRAPPER=/bin/devenv"]);
    }

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
