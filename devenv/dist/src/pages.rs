//! Manuals and completions, from the same description of the commands as the help.

use std::fs;
use std::io::Result;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use devenv_terminal::arguments::Arguments;

/// Writes `man/man1/*.1` and `completions/*` into `folder`.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let manuals = folder.join("man/man1");
    fs::create_dir_all(&manuals)?;
    let mut command = Arguments::command();
    // Passes the options of all commands on to each.
    command.build();
    manual(&manuals, "devenv", &command)?;
    let completions = folder.join("completions");
    fs::create_dir_all(&completions)?;
    for (shell, name) in [(Shell::Bash, "devenv.bash"), (Shell::Zsh, "_devenv"), (Shell::Fish, "devenv.fish")] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "devenv", &mut script);
        fs::write(completions.join(name), script)?;
    }
    Ok(())
}

/// A manual of the command, and of each below it: `devenv-up(1)`.
fn manual(folder: &Path, name: &str, command: &Command) -> Result<()> {
    let mut page = Vec::new();
    // The name as in the manual's own references; without a date, which would differ from build to build.
    let named: &'static str = name.to_owned().leak();
    Man::new(command.clone().name(named)).render(&mut page)?;
    fs::write(folder.join(format!("{name}.1")), page)?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        manual(folder, &format!("{name}-{}", below.get_name()), below)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_the_help_shows_has_a_manual_and_no_other() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        write(folder.path()).expect("writable");
        let exists = |path: &str| folder.path().join(path).is_file();
        for path in ["devenv.1", "devenv-up.1", "devenv-self-version.1", "devenv-evidence-record.1"] {
            assert!(exists(&format!("man/man1/{path}")), "{path}");
        }
        assert!(!exists("man/man1/devenv-supervise.1") && !exists("man/man1/devenv-guard.1"));
        let up = fs::read_to_string(folder.path().join("man/man1/devenv-up.1")).expect("text");
        assert!(up.contains("devenv\\-up") && up.contains("dry\\-run"), "{up}");
        assert!(
            exists("completions/_devenv") && exists("completions/devenv.bash") && exists("completions/devenv.fish")
        );
    }
}
