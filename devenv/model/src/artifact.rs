//! The program or image of a unit.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

/// The program or image of a unit. A runtime that cannot run a kind refuses it with an error that names the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// The binary of a package of this workspace, or the image assembled around that binary.
    Cargo { package: String },
    /// An image that a container engine builds.
    Dockerfile { context: Utf8PathBuf, file: Utf8PathBuf, target: Option<String>, args: BTreeMap<String, String> },
    /// A program with its arguments. `build` is the command that makes the program from `inputs`; `None` if it is made elsewhere.
    Command { build: Option<Vec<String>>, inputs: Vec<Utf8PathBuf>, run: Vec<String> },
    /// A ready-made image.
    Image { reference: String },
}

/// The files of a project that an artifact is made from: a change in one of them makes it stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs<'a> {
    /// The files that Cargo records beside the binary of this package.
    Package(&'a str),
    /// Every file below a folder.
    Folder(&'a Utf8Path),
    Files(&'a [Utf8PathBuf]),
    /// The artifact is made elsewhere.
    None,
}

impl Artifact {
    pub fn inputs(&self) -> Inputs<'_> {
        match self {
            Self::Cargo { package } => Inputs::Package(package),
            Self::Dockerfile { context, .. } => Inputs::Folder(context),
            Self::Command { inputs, .. } => Inputs::Files(inputs),
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

    /// The kind's name in an error, such as `a Dockerfile`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cargo { .. } => "a Cargo package",
            Self::Dockerfile { .. } => "a Dockerfile",
            Self::Command { .. } => "a command",
            Self::Image { .. } => "an image",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_names_its_inputs() {
        let inputs = vec![Utf8PathBuf::from("src/main.py")];
        let command = |build: Option<Vec<String>>| Artifact::Command {
            build,
            inputs: inputs.clone(),
            run: vec!["python3".to_owned()],
        };
        let dockerfile = Artifact::Dockerfile {
            context: "web".into(),
            file: "web/Dockerfile".into(),
            target: None,
            args: BTreeMap::new(),
        };
        for (artifact, expected) in [
            (Artifact::Cargo { package: "api".to_owned() }, Inputs::Package("api")),
            (dockerfile, Inputs::Folder(Utf8Path::new("web"))),
            (command(None), Inputs::Files(&inputs)),
            (command(Some(vec!["make".to_owned()])), Inputs::Files(&inputs)),
            (Artifact::Image { reference: "redis:7".to_owned() }, Inputs::None),
        ] {
            assert_eq!(artifact.inputs(), expected, "{artifact:?}");
        }
    }
}
