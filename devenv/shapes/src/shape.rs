//! The inputs and outputs of operations as data: one table drives the checks of JSON, the reading of forms and the writing of XML.

/// An operation: its name, and the members of its input and of its result.
pub struct Operation {
    pub name: &'static str,
    pub input: &'static [Member],
    pub output: &'static [Member],
}

/// A member of a structure.
pub struct Member {
    /// Its name in JSON, and in the values that operations take and return.
    pub name: &'static str,
    /// Its name in forms and in XML.
    pub wire: &'static str,
    pub shape: Shape,
    pub required: bool,
}

pub enum Shape {
    Text,
    Integer,
    Boolean,
    /// Bytes; base64 in both protocols, and in the value.
    Blob,
    Structure(&'static [Member]),
    /// `WIRE.1`, or `WIRE.WITHIN.1` where the list has an element of its own.
    List {
        item: &'static Shape,
        within: Option<&'static str>,
    },
    /// From names to values: `WIRE.1.KEY` and `WIRE.1.VALUE`, with an element of its own as in a list.
    Map {
        key: &'static str,
        value: &'static str,
        item: &'static Shape,
        within: Option<&'static str>,
    },
}

pub const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, wire: name, shape, required: true }
}

pub const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, wire: name, shape, required: false }
}

impl Member {
    /// The same member under another name in forms and XML.
    #[must_use]
    pub const fn on_wire(self, wire: &'static str) -> Self {
        let Self { name, shape, required, .. } = self;
        Self { name, wire, shape, required }
    }
}
