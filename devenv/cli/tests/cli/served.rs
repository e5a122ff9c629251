//! A small server in Python, and what tests of services that are built ask of it.

use crate::folder::{Folder, Ran, get};

/// The source of the server. It takes its address from `ADDRESS`, which is replaced, and answers with its greeting.
const APP: &str = r#"import http.server
import sys

GREETING = "one"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GREETING.encode())


http.server.HTTPServer(ADDRESS, Handler).serve_forever()
"#;

/// The server at an address that is an expression of Python.
pub(crate) fn app(address: &str) -> String {
    APP.replace("ADDRESS", address)
}

impl Folder {
    /// Starts the environment; the output names each step.
    pub(crate) fn up(&self) -> Ran {
        self.done(&["up", "-d", "--output", "plain"])
    }

    /// What a service answers at its address on this machine.
    pub(crate) fn answer(&self, service: &str) -> String {
        get(self.unit(service)["url"].as_str().expect("it has an address"))
    }

    /// What `web` and `other` answer.
    pub(crate) fn answers(&self) -> [String; 2] {
        ["web", "other"].map(|service| self.answer(service))
    }
}
