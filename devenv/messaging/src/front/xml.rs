//! The writing of a result as XML, by the shape of an operation's output.

use devenv_shapes::shape::{Member, Shape};
use serde_json::Value;

/// Writes the members that `value` has, in the order of the shape.
pub(crate) fn members(out: &mut String, members: &[Member], value: &Value) {
    for member in members {
        if let Some(content) = value.get(member.name) {
            write(out, member.wire, &member.shape, content);
        }
    }
}

fn write(out: &mut String, wire: &str, shape: &Shape, content: &Value) {
    match (shape, content) {
        (Shape::Structure(inner), _) => element(out, wire, |out| members(out, inner, content)),
        (Shape::List { item, within: None }, Value::Array(items)) => {
            for one in items {
                write(out, wire, item, one);
            }
        }
        (Shape::List { item, within: Some(within) }, Value::Array(items)) => {
            element(out, wire, |out| items.iter().for_each(|one| write(out, within, item, one)));
        }
        (Shape::Map { key, value, item, within }, Value::Object(object)) => {
            let entries = |out: &mut String, wire: &str| {
                for (name, one) in object {
                    element(out, wire, |out| {
                        element(out, key, |out| escape(out, name));
                        write(out, value, item, one);
                    });
                }
            };
            match within {
                None => entries(out, wire),
                Some(within) => element(out, wire, |out| entries(out, within)),
            }
        }
        (_, Value::String(text)) => element(out, wire, |out| escape(out, text)),
        (_, other) => element(out, wire, |out| escape(out, &other.to_string())),
    }
}

pub(crate) fn element(out: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    content(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Carriage returns as references: a reader of XML would turn them into line feeds.
pub(crate) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}
