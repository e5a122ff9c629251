//! The names of environments and their parts.

use std::fmt::Write as _;

use camino::Utf8Path;
use sha2::{Digest, Sha256};

/// Bytes; enough that two checkouts on one machine have different names.
const HASH_BYTES: usize = 3;
/// Bytes of the folder's name; a DNS label then has room for the hash and for a part's name.
const FOLDER_LIMIT: usize = 30;

/// `folder` in lower case with a short hash of the whole path, such as `orders-1a2b3c`: two checkouts of one project
/// get different names.
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

/// The name of the environment with this state directory, in the checkout `root`. A state directory elsewhere, as those of test runs and
/// rehearsals, adds its own name.
pub fn environment_name(folder: &str, root: &Utf8Path, state: &Utf8Path) -> String {
    let name = instance_name(folder, root);
    if state == root.join(".devenv") { name } else { format!("{name}-{}", state.file_name().unwrap_or("other")) }
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

/// The variable with the URL of a service, such as `ORDER_API_URL` for `order-api`.
pub fn url_variable(service: &str) -> String {
    format!("{}_URL", variable(service))
}

/// A service's name as a part of a variable's name, such as `ORDER_API`.
pub fn variable(service: &str) -> String {
    service.to_uppercase().replace(|character: char| !character.is_ascii_alphanumeric(), "_")
}

/// Whether `text` is 1 to 40 lower-case letters, digits and inner hyphens. Container engines, DNS and AWS accept such a name.
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
    fn the_variable_of_a_service_is_one_that_a_shell_can_set() {
        assert_eq!(url_variable("order-api.v2"), "ORDER_API_V2_URL");
    }

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
