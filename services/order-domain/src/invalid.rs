use serde::Serialize;

/// One step of the path to the offending value: a field or header name, or a byte position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Location {
    Name(&'static str),
    Position(usize),
}

/// One reason why a request is invalid, in FastAPI's shape: an element of a 422's `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invalid {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub loc: Vec<Location>,
    pub msg: String,
}

impl Invalid {
    pub fn new(part: &'static str, field: &'static str, kind: &'static str, msg: impl Into<String>) -> Self {
        Self { kind, loc: vec![Location::Name(part), Location::Name(field)], msg: msg.into() }
    }

    /// The body as a whole is invalid.
    pub fn body(kind: &'static str, msg: impl Into<String>) -> Self {
        Self { kind, loc: vec![Location::Name("body")], msg: msg.into() }
    }

    /// The body stops being JSON at `position` (bytes from its start).
    pub fn json(position: usize) -> Self {
        Self {
            kind: "json_invalid",
            loc: vec![Location::Name("body"), Location::Position(position)],
            msg: "JSON decode error".to_owned(),
        }
    }
}
