//! The settings of a compilation: profile, target, flags and packages.

use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

use crate::static_link;

/// The profile of `devenv` itself, so that a release `devenv` runs and measures release services.
const PROCESS_PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };
/// The workspace's profile of this name, if its `Cargo.toml` has one; else [`default_image_profile`].
const IMAGE_PROFILE: &str = "image";

/// The sources of shipped images.
#[derive(Debug, Clone, Copy)]
pub struct ImageWorkspace<'a> {
    pub root: &'a Utf8Path,
    /// Every package that becomes an image, not only those of the current build.
    pub packages: &'a [String],
}

/// How Cargo compiles the programs of a workspace for one purpose.
#[derive(Debug, Clone)]
pub struct Compilation {
    root: Utf8PathBuf,
    /// Cargo's target directory.
    target_dir: Utf8PathBuf,
    purpose: Purpose,
}

#[derive(Debug, Clone)]
enum Purpose {
    /// Programs that run on this machine.
    Process,
    /// The same programs, linked statically by `linker`, see [`static_link`].
    DevelopmentImage { linker: Utf8PathBuf },
    /// Optimized static programs.
    ShippedImage {
        /// The target, such as `x86_64-unknown-linux-gnu`.
        target: String,
        /// The folder that Cargo has its registry in; no program may contain its path.
        cargo_home: Utf8PathBuf,
        /// The packages over which Cargo joins the features of their dependencies.
        joined: Vec<String>,
        /// The settings of the image profile, in the format of `cargo --config`.
        profile: Vec<String>,
    },
}

impl Compilation {
    /// Programs that run on this machine.
    pub fn of_processes(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), target_dir: target_dir(root), purpose: Purpose::Process }
    }

    /// Static programs for the images of a development run: those of [`Self::of_processes`], linked by `devenv`, which is this
    /// program. All dependencies are shared with the processes and with `devenv` itself.
    pub fn of_development_images(root: &Utf8Path, devenv: Utf8PathBuf) -> Self {
        Self { purpose: Purpose::DevelopmentImage { linker: devenv }, ..Self::of_processes(root) }
    }

    /// Optimized static programs for the images that tests prove and promotions ship.
    pub fn of_shipped_images(workspace: &ImageWorkspace<'_>, architecture: &str) -> Self {
        let purpose = shipped(workspace, architecture, cargo_home());
        Self { purpose, ..Self::of_processes(workspace.root) }
    }

    /// The same in a container with the sources in `/source`, and Cargo at its place in the official Rust images.
    pub fn in_container(workspace: &ImageWorkspace<'_>, architecture: &str) -> Self {
        let root = Utf8PathBuf::from("/source");
        let purpose = shipped(workspace, architecture, "/usr/local/cargo".into());
        Self { target_dir: root.join("target"), root, purpose }
    }

    /// The key of a package in [`crate::builds::Builds`], such as `dev/order-api` or `dev-static/order-api`.
    pub fn key(&self, package: &str) -> String {
        let link = if matches!(self.purpose, Purpose::DevelopmentImage { .. }) { "-static" } else { "" };
        format!("{}{link}/{package}", self.profile())
    }

    fn profile(&self) -> &'static str {
        match self.purpose {
            Purpose::Process | Purpose::DevelopmentImage { .. } => PROCESS_PROFILE,
            Purpose::ShippedImage { .. } => IMAGE_PROFILE,
        }
    }

    /// The expected path of the binary of `package`, unless Cargo has reported another.
    pub fn expected_binary(&self, package: &str) -> Utf8PathBuf {
        self.artifacts_dir().join(package)
    }

    /// The folder of the binaries.
    pub fn artifacts_dir(&self) -> Utf8PathBuf {
        let folder = match &self.purpose {
            Purpose::ShippedImage { target, .. } => self.target_dir.join(target),
            Purpose::Process | Purpose::DevelopmentImage { .. } => self.target_dir.clone(),
        };
        folder.join(if self.profile() == "dev" { "debug" } else { self.profile() })
    }

    /// The arguments of `cargo`.
    pub fn arguments(&self, packages: &[String]) -> Vec<String> {
        let fixed = ["build", "--message-format=json-render-diagnostics", "--profile", self.profile()];
        let mut arguments: Vec<String> = fixed.map(str::to_owned).into();
        if let Purpose::ShippedImage { target, cargo_home, joined, profile } = &self.purpose {
            let flags = self.static_flags(target, cargo_home);
            arguments.extend(options("--config", [&flags].into_iter().chain(profile)));
            arguments.extend(options("--target", [target]));
            // The same selection for every set of binaries: another selection has other features and compiles much twice.
            arguments.extend(options("--package", joined));
        }
        arguments.extend(options("--bin", packages));
        arguments
    }

    /// The flags of a target's compiler, in the format of `cargo --config`.
    fn static_flags(&self, target: &str, cargo_home: &Utf8Path) -> String {
        // Paths of the compiling machine; of several that match, rustc applies the last.
        let folders = [(self.root.as_path(), "."), (&self.target_dir, "target"), (cargo_home, "cargo")];
        let remapped = folders.map(|(folder, name)| format!("--remap-path-prefix={folder}={name}"));
        let flags = [&["-Ctarget-feature=+crt-static".to_owned()][..], &remapped].concat();
        let quoted: Vec<String> = flags.iter().map(|flag| format!("{flag:?}")).collect();
        format!("target.{target}.rustflags=[{}]", quoted.join(","))
    }

    pub(crate) fn command(&self, packages: &[String]) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.args(self.arguments(packages));
        match &self.purpose {
            Purpose::Process => {}
            Purpose::DevelopmentImage { linker } => {
                command.env("RUSTC_WORKSPACE_WRAPPER", linker).env(static_link::VARIABLE, "1");
            }
            Purpose::ShippedImage { .. } => {
                // These variables of the caller would override the settings above.
                for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_INCREMENTAL"] {
                    command.env_remove(name);
                }
            }
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

/// Repeats an option for each value.
fn options<'a>(name: &str, values: impl IntoIterator<Item = &'a String>) -> impl Iterator<Item = String> {
    values.into_iter().flat_map(move |value| [name.to_owned(), value.clone()])
}

fn shipped(workspace: &ImageWorkspace<'_>, architecture: &str, cargo_home: Utf8PathBuf) -> Purpose {
    Purpose::ShippedImage {
        target: format!("{architecture}-unknown-linux-gnu"),
        cargo_home,
        joined: workspace.packages.to_vec(),
        profile: default_image_profile(workspace.root),
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

fn target_dir(root: &Utf8Path) -> Utf8PathBuf {
    std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), |target| root.join(target))
}

fn cargo_home() -> Utf8PathBuf {
    let home = || std::env::var("HOME").unwrap_or_default() + "/.cargo";
    std::env::var("CARGO_HOME").unwrap_or_else(|_| home()).into()
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
            Compilation::of_shipped_images(&workspace, "x86_64").arguments(&["api".to_owned()]).join(" ")
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
}
