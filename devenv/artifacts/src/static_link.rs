//! A compiler wrapper for Cargo that links the binaries of the workspace statically and changes nothing else: the dependencies
//! are those of the programs that run as processes, compiled once for both. `-Ctarget-feature=+crt-static` for everything needs
//! another target, and so a second compilation of every dependency.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Cargo runs this program as `RUSTC_WORKSPACE_WRAPPER` with this variable set.
pub(crate) const VARIABLE: &str = "DEVENV_LINK_STATICALLY";
/// An image has no use for the symbols, which are more than half of an unoptimized program.
const FLAGS: [&str; 2] = ["-Ctarget-feature=+crt-static", "-Cstrip=symbols"];

/// Whether Cargo runs this program as the compiler.
pub fn is_requested() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Replaces this process by the compiler. Returns only if the compiler cannot be run.
pub fn compile() -> io::Error {
    let mut arguments = std::env::args_os().skip(1);
    let Some(compiler) = arguments.next() else {
        return io::Error::new(io::ErrorKind::InvalidInput, "no compiler is named");
    };
    let arguments: Vec<OsString> = arguments.collect();
    Command::new(compiler).args(flags(&arguments)).args(&arguments).exec()
}

fn flags(arguments: &[OsString]) -> &'static [&'static str] {
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(OsString::as_os_str)
    };
    // Cargo asks the compiler about the target with every crate type and the name `___`.
    let is_program = value("--crate-type") == Some(OsStr::new("bin"))
        && value("--crate-name").is_some_and(|name| name != "___" && name != "build_script_build");
    if is_program { &FLAGS } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_binaries_are_linked_statically() {
        let flags = |line: &str| flags(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(flags("--crate-name order_api --edition=2024 src/main.rs --crate-type bin -C debuginfo=1"), FLAGS);
        for line in [
            "--crate-name order_api --edition=2024 src/lib.rs --crate-type lib --emit=dep-info",
            "--crate-name build_script_build build.rs --crate-type bin",
            "- --crate-name ___ --print=file-names --crate-type bin --crate-type rlib --crate-type proc-macro",
            "-vV",
            "--crate-type bin",
        ] {
            assert_eq!(flags(line), [""; 0], "{line}");
        }
    }
}
