//! Static programs beside an installed `devenv`: an image is assembled around such a file, since no sources are there to compile.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;

/// The emulator's file name. It stands for a package where artifacts are named by packages.
pub const EMULATOR: &str = "devenv-emulator";
/// The beginning of a program, with all headers that a linker puts there.
const HEADERS: u64 = 4096;
/// The type of a header that names a dynamic linker, which an image without a C library lacks.
const INTERPRETER: u32 = 3;

/// A static program for Linux.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    pub path: Utf8PathBuf,
    /// The architecture as images name it, such as `amd64`.
    pub architecture: &'static str,
}

/// The program of this name beside this `devenv`. `None` if there is none, or if it cannot run alone in an image: in a checkout, Cargo
/// puts a program of the same name there that needs this machine's libraries.
pub fn beside(devenv: &Utf8Path, name: &str) -> Option<Bundled> {
    let path = devenv.with_file_name(name);
    let mut headers = Vec::new();
    input::open(&path).ok()?.take(HEADERS).read_to_end(&mut headers).ok()?;
    Some(Bundled { architecture: static_architecture(&headers)?, path })
}

/// The architecture of a 64-bit static ELF program.
fn static_architecture(program: &[u8]) -> Option<&'static str> {
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = program.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    // The class 2 has 64 bits, the encoding 1 has its least significant byte first.
    if !program.starts_with(&[0x7f, b'E', b'L', b'F', 2, 1]) {
        return None;
    }
    let architecture = match number(18, 2)? {
        62 => "amd64",
        183 => "arm64",
        _ => return None,
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        let at = usize::try_from(table.checked_add(index * size)?).ok()?;
        if number(at, 4)? == u64::from(INTERPRETER) {
            return None;
        }
    }
    Some(architecture)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF header and one program header of this type.
    fn program(machine: u8, kind: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        bytes[18] = machine;
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = kind;
        bytes
    }

    #[test]
    fn only_a_static_program_for_linux_can_be_in_an_image() {
        assert_eq!(static_architecture(&program(62, 1)), Some("amd64"));
        assert_eq!(static_architecture(&program(183, 1)), Some("arm64"));
        assert_eq!(static_architecture(&program(62, 3)), None, "it wants a dynamic linker");
        assert_eq!(static_architecture(&program(40, 1)), None);
        for end in 0..64 + 4 {
            assert_eq!(static_architecture(&program(62, 1)[..end]), None, "{end} bytes");
        }
        let mut far = program(62, 1);
        far[32..40].fill(0xff);
        assert_eq!(static_architecture(&far), None);
    }

    #[test]
    fn it_is_beside_devenv_or_nowhere() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let devenv = Utf8Path::from_path(folder.path()).expect("UTF-8").join("devenv");
        assert_eq!(beside(&devenv, EMULATOR), None);
        std::fs::write(devenv.with_file_name(EMULATOR), program(62, 1)).expect("writable");
        assert_eq!(beside(&devenv, EMULATOR).expect("there").architecture, "amd64");
    }
}
