//! The compilers and the C library of a static program. With the same ones, two machines make the same image from the
//! same commit, so an image names them in its labels.

use std::collections::BTreeMap;

use tokio::process::Command;

use crate::oci::digest;

/// The marks of compilers and linkers in a program's `.comment` section, and the label for each line.
const MARKS: [(&[u8], &str); 3] = [
    (b"rustc version ", "devenv.built-with.rustc"),
    (b"GCC: ", "devenv.built-with.c-compiler"),
    (b"Linker: ", "devenv.built-with.linker"),
];
const C_LIBRARY: &str = "devenv.built-with.c-library";
/// Prints the version of the C library and the digest of its archive, in a POSIX shell.
pub(crate) const SCRIPT: &str = r#"printf '%s, libc.a sha256:%s\n' "$(getconf GNU_LIBC_VERSION)" "$(sha256sum < "$(cc -print-file-name=libc.a)" | cut -c 1-64)""#;

/// Returns the labels for a program. `c_library` is the output of [`SCRIPT`] on the compiling machine.
pub(crate) fn labels(program: &[u8], c_library: Option<&str>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (mark, label) in MARKS {
        if let Some(line) = line_with(program, mark) {
            labels.insert(label.to_owned(), line);
        }
    }
    let c_library = c_library.map(str::trim).filter(|line| !line.is_empty());
    labels.extend(c_library.map(|line| (C_LIBRARY.to_owned(), line.to_owned())));
    labels
}

/// Returns the C library of this machine; `None` if `getconf` or `cc` fails.
pub(crate) async fn c_library() -> Option<String> {
    let version = printed("getconf", "GNU_LIBC_VERSION").await?;
    let archive = printed("cc", "-print-file-name=libc.a").await?;
    let content = tokio::fs::read(archive).await.ok()?;
    Some(format!("{version}, libc.a {}", digest(&content)))
}

async fn printed(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns the last text between two NULs that begins with `mark`, without the mark. Searches backwards: the section is
/// near the end of the file.
fn line_with(program: &[u8], mark: &[u8]) -> Option<String> {
    let place = (1..program.len().saturating_sub(mark.len()))
        .rev()
        .find(|&place| program[place - 1] == 0 && program[place..].starts_with(mark))?;
    let rest = &program[place + mark.len()..];
    let line = &rest[..rest.iter().position(|&byte| byte == 0)?];
    String::from_utf8(line.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_read_from_the_program() {
        let program = b"\x7fELF GCC: (not it)\0rustc version 1.95.0 (59807616e 2026-04-14)\0Linker: LLD 22.1.2\0GCC: (Debian 12.2.0-14) 12.2.0\0\0";
        let labels = labels(program, Some("glibc 2.36, libc.a sha256:00\n"));
        let expected = [
            ("devenv.built-with.c-compiler", "(Debian 12.2.0-14) 12.2.0"),
            (C_LIBRARY, "glibc 2.36, libc.a sha256:00"),
            ("devenv.built-with.linker", "LLD 22.1.2"),
            ("devenv.built-with.rustc", "1.95.0 (59807616e 2026-04-14)"),
        ];
        assert_eq!(labels, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_program_without_marks_has_no_labels() {
        assert_eq!(labels(b"", None), BTreeMap::new());
        assert_eq!(labels(b"\0GCC: cut off", Some(" \n")), BTreeMap::new());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn this_machine_and_the_script_name_the_same_c_library() {
        let output = Command::new("sh").args(["-c", SCRIPT]).output().await.expect("a shell");
        assert_eq!(c_library().await.as_deref(), Some(String::from_utf8_lossy(&output.stdout).trim()));
    }
}
