//! What may be asked of the emulated registry: what `devenv` needs to push an image and to read one, and the engine to pull one.

use hyper::{Method, Uri};

/// Whether it is one of these requests, by the registry's own protocol. None of them removes anything or lists the registry.
pub(crate) fn is_known(method: &Method, uri: &Uri) -> bool {
    let reads = [Method::GET, Method::HEAD].contains(method);
    if ["/v2", "/v2/"].contains(&uri.path()) {
        return reads && uri.query().is_none();
    }
    let Some(path) = uri.path().strip_prefix("/v2/") else { return false };
    let parts: Vec<&str> = path.split('/').collect();
    match &parts[..] {
        // A blob begins, and comes whole.
        [name @ .., "blobs", "uploads", ""] => *method == Method::POST && is_repository(name) && uri.query().is_none(),
        [name @ .., "blobs", "uploads", upload] => {
            *method == Method::PUT
                && is_repository(name)
                && is_plain(upload)
                && uri.query().is_some_and(is_digest_alone)
        }
        [name @ .., "blobs", digest] => reads && is_repository(name) && is_digest(digest) && uri.query().is_none(),
        [name @ .., "manifests", reference] => {
            let known = reads && is_digest(reference) || (reads || *method == Method::PUT) && is_plain(reference);
            known && is_repository(name) && uri.query().is_none()
        }
        _ => false,
    }
}

fn is_repository(name: &[&str]) -> bool {
    !name.is_empty() && name.iter().all(|part| is_plain(part))
}

/// A part of a name, a tag or the id of an upload.
fn is_plain(part: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    part.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()) && part.bytes().all(is_plain)
}

fn is_digest(part: &str) -> bool {
    let digits = part.strip_prefix("sha256:");
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_digest_alone(query: &str) -> bool {
    query.strip_prefix("digest=").is_some_and(|digest| is_digest(&digest.replace("%3A", ":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(method: &str, uri: &str) -> bool {
        is_known(&method.parse().expect("a method"), &uri.parse().expect("an address"))
    }

    #[test]
    fn an_image_comes_and_goes() {
        let digest = format!("sha256:{}", "1f".repeat(32));
        let (blob, upload) = (format!("/v2/shop/web/blobs/{digest}"), "/v2/shop/web/blobs/uploads/");
        let written = digest.replace(':', "%3A");
        for (method, uri) in [
            ("GET", "/v2/"),
            ("GET", "/v2"),
            ("HEAD", &blob),
            ("GET", &blob),
            ("POST", upload),
            ("PUT", &format!("{upload}0a-1b_2c?digest={written}")),
            ("PUT", &format!("{upload}0a?digest={digest}")),
            ("PUT", "/v2/shop/web/manifests/sha256-1f"),
            ("GET", "/v2/shop/web/manifests/sha256-1f"),
            ("HEAD", &format!("/v2/shop/web/manifests/{digest}")),
        ] {
            assert!(known(method, uri), "{method} {uri}");
        }
        for (method, uri) in [
            ("POST", "/v2/"),
            ("GET", "/v2/?a=b"),
            ("GET", "/v2/_catalog"),
            ("GET", "/v2/shop/web/tags/list"),
            ("GET", &format!("/v2/shop/web/referrers/{digest}")),
            ("DELETE", &blob),
            ("PUT", &blob),
            ("GET", "/v2/shop/web/blobs/sha256:1f"),
            ("POST", &format!("{upload}?mount={digest}&from=other")),
            ("POST", &format!("{upload}?digest={digest}")),
            ("PATCH", &format!("{upload}0a")),
            ("DELETE", &format!("{upload}0a")),
            ("PUT", &format!("{upload}0a")),
            ("PUT", &format!("{upload}0a?digest={digest}&a=b")),
            ("PUT", &format!("/v2/shop/web/manifests/{digest}")),
            ("DELETE", &format!("/v2/shop/web/manifests/{digest}")),
            ("PUT", "/v2/shop/web/manifests/1?a=b"),
            ("GET", "/v2/manifests/1"),
            ("GET", "/v2/../web/manifests/1"),
            ("GET", "/v2//web/manifests/1"),
            ("GET", "/v2/shop%2fweb/manifests/1"),
            ("GET", "/v20/shop/manifests/1"),
        ] {
            assert!(!known(method, uri), "{method} {uri}");
        }
    }
}
