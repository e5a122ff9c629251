//! The form of an image's name, as registries and container engines have it:
//! [the grammar](https://pkg.go.dev/github.com/distribution/reference).

/// Bytes of the name with its registry, without tag and digest.
const NAME_LIMIT: usize = 255;
const TAG_LIMIT: usize = 128;
/// Hexadecimal digits of the shortest digest.
const DIGEST_DIGITS: usize = 32;
/// Hexadecimal digits of an image's id, which is not a name.
const ID_DIGITS: usize = 64;

/// Returns why no engine accepts `reference` as an image's name.
pub(crate) fn flaw(reference: &str) -> Option<String> {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        // The colon of a registry's port.
        Some((_, after)) if after.contains('/') => (rest, None),
        Some((name, tag)) => (name, Some(tag)),
        None => (rest, None),
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if is_registry(first) => (Some(first), path),
        _ => (None, name),
    };
    if path.is_empty() {
        return Some("the name is empty".to_owned());
    }
    if name.len() > NAME_LIMIT {
        return Some(format!("the name has more than {NAME_LIMIT} characters"));
    }
    if let Some(registry) = registry.filter(|registry| !is_address(registry)) {
        return Some(format!("{registry} is not the address of a registry"));
    }
    if path.split('/').any(str::is_empty) {
        return Some("the name has an empty part between its slashes".to_owned());
    }
    if path.chars().any(|character| character.is_ascii_uppercase()) {
        return Some("the name has capital letters".to_owned());
    }
    if let Some(part) = path.split('/').find(|part| !is_part(part)) {
        return Some(format!("`{part}` is not a part of a name"));
    }
    if registry.is_none() && path.len() == ID_DIGITS && is_hexadecimal(path) {
        return Some("this is the id of an image, and not its name".to_owned());
    }
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Some(format!("`{tag}` is not a tag"));
    }
    digest.filter(|digest| !is_digest(digest)).map(|digest| format!("`{digest}` is not a digest"))
}

/// Whether the first part of a name is a registry: names on the default registry have no such part.
fn is_registry(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.chars().any(|character| character.is_ascii_uppercase())
}

fn is_address(registry: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
    if let Some((host, port)) = registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
        return is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    let is_label = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_part(part: &str) -> bool {
    let is_word = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let begins_and_ends = part.starts_with(is_word) && part.ends_with(is_word);
    let is_separator = |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    begins_and_ends && part.split(is_word).all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = tag.as_bytes();
    bytes.len() <= TAG_LIMIT
        && bytes.first().is_some_and(|first| is_word(*first))
        && bytes.iter().all(|byte| is_word(*byte) || b".-".contains(byte))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, digits)) = digest.split_once(':') else { return false };
    let is_component = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    algorithm.split(['+', '.', '_', '-']).all(is_component) && digits.len() >= DIGEST_DIGITS && is_hexadecimal(digits)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_engines_accept() {
        let digest = format!("web@sha256:{}", "a1".repeat(32));
        let id = format!("sha256:{}", "0f".repeat(32));
        for reference in [
            "web",
            "postgres:16-alpine",
            "bitnami/redis:7.2",
            "registry.example.com/team/app:1",
            "localhost/app",
            "localhost:5000/app:dev",
            "127.0.0.1:5000/a/b/c",
            "[::1]:5000/app",
            "MYHOST/app",
            "a__b/c.d-e---f:V_1.0-rc",
            "mcr.microsoft.com/mssql/server:2022-latest",
            &digest,
            &id,
        ] {
            assert_eq!(flaw(reference), None, "{reference}");
        }
    }

    #[test]
    fn names_that_no_engine_accepts() {
        let id = "0f".repeat(32);
        let long = "a".repeat(256);
        let long_tag = format!("web:{}", "a".repeat(129));
        for (reference, word) in [
            ("", "empty"),
            (":16", "empty"),
            ("My-App", "capital"),
            ("team/My-App:1", "capital"),
            ("/app", "empty part"),
            ("team//app", "empty part"),
            ("team/", "empty part"),
            ("web app", "`web app`"),
            ("-web", "`-web`"),
            ("a..b", "`a..b`"),
            ("a___b", "`a___b`"),
            ("web:", "is not a tag"),
            ("web:a b", "is not a tag"),
            ("web:-1", "is not a tag"),
            (&long_tag, "is not a tag"),
            ("web@sha256:12", "is not a digest"),
            ("web@1", "is not a digest"),
            ("host:port/app", "registry"),
            ("-.example/app", "registry"),
            ("https://example.com/app", "registry"),
            (&id, "id"),
            (&long, "more than 255"),
        ] {
            let flaw = flaw(reference).unwrap_or_else(|| panic!("{reference} is refused"));
            assert!(flaw.contains(word), "{reference}: {flaw}");
        }
    }
}
