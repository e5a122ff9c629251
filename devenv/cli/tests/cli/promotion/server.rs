//! The program that these tests release.

/// The behaviour of a release in AWS. In `devenv test` it is always good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Good,
    /// Exits at once.
    Crashes,
    /// Runs, answers with its version, and fails at its work.
    Broken,
}

/// The source of a server in Python, which the image of the emulated AWS has. Behaviour and edition change the text, and so the
/// image.
pub(crate) fn source(behaviour: Behaviour, edition: u32) -> String {
    let in_aws = match behaviour {
        Behaviour::Good => "",
        Behaviour::Crashes => "print('no configuration', flush=True); sys.exit(3)",
        Behaviour::Broken => "failing = True",
    };
    let in_aws = if in_aws.is_empty() { "pass" } else { in_aws };
    SERVER.replace("EDITION", &edition.to_string()).replace("IN_AWS", in_aws)
}

const SERVER: &str = r#"import json, os, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

failing = False
if "ECS_CONTAINER_METADATA_URI_V4" in os.environ:
    IN_AWS

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        broken = failing and self.path == "/work"
        body = json.dumps({"image": os.environ.get("IMAGE"), "edition": EDITION}).encode()
        self.send_response(500 if broken else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"#;
