//! devenv's init in the container of a function: it is the first process there, and starts the image's own program. Its files come into the
//! container from outside, so that the image is the one that tests prove and promotions release.

use devenv_model::container::{Mount, MountSource};
use devenv_runtime::{Error, HostError, HostErrorKind};

use crate::container::ContainerSpec;
use crate::engine::Image;

/// Where the files are. An engine copies into a read-only container only where a volume is mounted.
pub(crate) const FOLDER: &str = "/.devenv";

/// The volume that takes the files, and ends with the container.
pub(crate) fn mount() -> Mount {
    Mount { target: FOLDER.to_owned(), read_only: false, source: MountSource::Anonymous { no_copy: true } }
}

/// Puts the init, started by the words of `command`, before the program of a container of `image`.
pub(crate) fn put_before(spec: &mut ContainerSpec, command: Vec<String>, image: &Image) -> Result<(), Error> {
    // As an engine does: the image's command belongs to the image's entrypoint.
    let (entrypoint, arguments) = match (spec.entrypoint.take(), spec.command.take()) {
        (Some(entrypoint), arguments) => (entrypoint, arguments.unwrap_or_default()),
        (None, arguments) => (image.entrypoint.clone(), arguments.unwrap_or_else(|| image.command.clone())),
    };
    let program = [entrypoint, arguments].concat();
    if program.is_empty() {
        let action = format!("start {}", spec.name);
        let cause = format!("neither its image {} nor the Compose file names a program", spec.image);
        return Err(HostError { action, cause, kind: HostErrorKind::Other }.into());
    }
    spec.entrypoint = Some([command, vec!["init".to_owned(), "--".to_owned()]].concat());
    spec.command = Some(program);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn image(entrypoint: &str, command: &str) -> Image {
        let (entrypoint, command) = (words(entrypoint), words(command));
        Image { entrypoint, command, ..Image::default() }
    }

    fn program(entrypoint: Option<&str>, command: Option<&str>, image: &Image) -> Result<String, Error> {
        let (entrypoint, command) = (entrypoint.map(words), command.map(words));
        let mut spec = ContainerSpec { entrypoint, command, ..ContainerSpec::new("resize", "resize:1") };
        put_before(&mut spec, words("/.devenv/devenv-functions"), image)?;
        assert_eq!(spec.entrypoint, Some(words("/.devenv/devenv-functions init --")));
        Ok(spec.command.expect("a program").join(" "))
    }

    #[test]
    fn the_program_is_the_one_that_runs_without_an_init() {
        let image = image("/entry.sh", "app.handler");
        for (entrypoint, command, expected) in [
            (None, None, "/entry.sh app.handler"),
            (None, Some("other.handler"), "/entry.sh other.handler"),
            (Some("/mine"), None, "/mine"),
            (Some("/mine"), Some("a b"), "/mine a b"),
        ] {
            assert_eq!(program(entrypoint, command, &image).expect("a program"), expected);
        }
        let none = program(None, None, &self::image("", "")).expect_err("there is no program").to_string();
        assert!(none.contains("start resize") && none.contains("resize:1"), "{none}");
    }
}
