//! The names under which environments and their parts are known.

use std::fmt::Write as _;

use camino::Utf8Path;
use sha2::{Digest, Sha256};

/// Long enough that two checkouts of one machine do not meet.
const HASH_BYTES: usize = 3;
/// As much of a folder's name as leaves room for the hash, and for a part's name after it, in a label of DNS.
const FOLDER_LIMIT: usize = 30;

/// `folder` in lower case with a short hash of the whole path, such as `orders-1a2b3c`: two checkouts of one project
/// have two names without anybody choosing them.
pub fn instance_name(folder: &str, path: &Utf8Path) -> String {
    let hash = short_digest(path.as_str(), HASH_BYTES);
    let mut name = String::new();
    for character in folder.chars() {
        if name.len() == FOLDER_LIMIT {
            break;
        }
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { format!("project-{hash}") } else { format!("{name}-{hash}") }
}

/// The first `bytes` bytes of a SHA-256, in hexadecimal.
pub fn short_digest(text: impl AsRef<[u8]>, bytes: usize) -> String {
    hexadecimal(&Sha256::digest(text)[..bytes])
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lower-case letters, digits and inner hyphens: what container engines, DNS and AWS all accept.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_paths_have_two_names() {
        let one = instance_name("My Orders!", Utf8Path::new("/a/My Orders!"));
        let two = instance_name("My Orders!", Utf8Path::new("/b/My Orders!"));
        assert!(one.starts_with("my-orders-"), "{one}");
        assert_ne!(one, two);
        assert!(is_name(&one));
        assert!(is_name(&instance_name(&"Long ".repeat(60), Utf8Path::new("/long"))));
        assert!(instance_name("", Utf8Path::new("/")).starts_with("project-"));
    }
}
