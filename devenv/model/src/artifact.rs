//! The program or image of a unit.

use camino::{Utf8Path, Utf8PathBuf};

use crate::dockerfile::DockerfileBuild;

/// The program or image of a unit. A runtime that cannot run a kind refuses it with an error that names the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// The binary of a package of this workspace, or the image assembled around that binary.
    Cargo { package: String },
    /// An image that a container engine builds.
    Dockerfile(Box<DockerfileBuild>),
    /// A program of this machine.
    Command(CommandArtifact),
    /// A ready-made image.
    Image { reference: String },
}

/// A program with its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandArtifact {
    pub run: Vec<String>,
    /// The folder in which both commands run, relative to the project's.
    pub workdir: Utf8PathBuf,
    /// The command that makes the program from `inputs`; `None` if it is made elsewhere.
    pub build: Option<Vec<String>>,
    pub inputs: CommandInputs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandInputs {
    Files(Vec<Utf8PathBuf>),
    /// Patterns relative to the project's folder, such as `src/**`.
    Patterns(Vec<String>),
}

impl Default for CommandInputs {
    fn default() -> Self {
        Self::Files(Vec::new())
    }
}

/// The files of a project that an artifact is made from: a change in one of them makes it stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs<'a> {
    /// The files that Cargo records beside the binary of this package.
    Package(&'a str),
    /// Every file below a folder.
    Folder(&'a Utf8Path),
    Files(&'a [Utf8PathBuf]),
    /// The files of the project that match one of these patterns and that version control does not ignore.
    Patterns(&'a [String]),
    /// The artifact is made elsewhere.
    None,
}

impl Artifact {
    pub fn inputs(&self) -> Inputs<'_> {
        match self {
            Self::Cargo { package } => Inputs::Package(package),
            Self::Dockerfile(build) => Inputs::Folder(&build.context),
            Self::Command(CommandArtifact { inputs: CommandInputs::Files(files), .. }) => Inputs::Files(files),
            Self::Command(CommandArtifact { inputs: CommandInputs::Patterns(patterns), .. }) => {
                Inputs::Patterns(patterns)
            }
            Self::Image { .. } => Inputs::None,
        }
    }

    pub fn package(&self) -> Option<&str> {
        match self {
            Self::Cargo { package } => Some(package),
            _ => None,
        }
    }

    /// The image that the engine must have before the unit starts.
    pub fn image(&self) -> Option<&str> {
        match self {
            Self::Image { reference } => Some(reference),
            _ => None,
        }
    }

    /// Whether the artifact is built for its unit alone, by a step of the unit's own.
    pub fn is_built_alone(&self) -> bool {
        match self {
            Self::Dockerfile(_) => true,
            Self::Command(command) => command.build.is_some(),
            Self::Cargo { .. } | Self::Image { .. } => false,
        }
    }

    /// The kind's name in an error, such as `a Dockerfile`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cargo { .. } => "a Cargo package",
            Self::Dockerfile(_) => "a Dockerfile",
            Self::Command(_) => "a command",
            Self::Image { .. } => "an image",
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::dockerfile::Dockerfile;

    #[test]
    fn every_kind_names_its_inputs() {
        let files = vec![Utf8PathBuf::from("src/main.py")];
        let patterns = vec!["src/**".to_owned()];
        let command = |inputs: CommandInputs, build: Option<Vec<String>>| {
            Artifact::Command(CommandArtifact { build, inputs, run: vec!["python3".to_owned()], ..Default::default() })
        };
        let file = Dockerfile::File("/shop/web/Dockerfile".into());
        let dockerfile = Artifact::Dockerfile(Box::new(DockerfileBuild::new("/shop/web".into(), file)));
        let make = Some(vec!["make".to_owned()]);
        for (artifact, expected, alone) in [
            (Artifact::Cargo { package: "api".to_owned() }, Inputs::Package("api"), false),
            (dockerfile, Inputs::Folder(Utf8Path::new("/shop/web")), true),
            (command(CommandInputs::Files(files.clone()), None), Inputs::Files(&files), false),
            (command(CommandInputs::Patterns(patterns.clone()), make), Inputs::Patterns(&patterns), true),
            (Artifact::Image { reference: "redis:7".to_owned() }, Inputs::None, false),
        ] {
            assert_eq!((artifact.inputs(), artifact.is_built_alone()), (expected, alone), "{artifact:?}");
        }
    }
}
