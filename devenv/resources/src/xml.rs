//! The XML of AWS's Query protocol, as a small tree. Attributes and namespaces say nothing there, and are left out.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

/// Elements within elements, and elements of one answer.
const DEPTH: usize = 32;
const ELEMENTS: usize = 100_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// The items of a list.
    pub(crate) fn members<'e>(&'e self, name: &str) -> impl Iterator<Item = &'e Element> {
        self.child(name).into_iter().flat_map(|list| list.children.iter().filter(|child| child.name == "member"))
    }

    /// The keys and values of a mapping.
    pub(crate) fn entries(&self, name: &str) -> impl Iterator<Item = (String, String)> {
        let entries = self.child(name).into_iter().flat_map(|map| map.children.iter());
        entries.filter_map(|entry| Some((entry.text_of("key")?.to_owned(), entry.text_of("value")?.to_owned())))
    }
}

/// The root element; `None` if this is no XML, or more than any answer of AWS has.
pub(crate) fn parse(bytes: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader::from_str(text);
    // The outermost collects the root.
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                count += 1;
                if open.len() > DEPTH || count > ELEMENTS {
                    return None;
                }
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::End(_) => {
                let ended = open.pop()?;
                open.last_mut()?.children.push(ended);
            }
            Event::Empty(empty) => {
                let name = String::from_utf8_lossy(empty.local_name().as_ref()).into_owned();
                open.last_mut()?.children.push(Element { name, ..Element::default() });
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
            Event::CData(data) => open.last_mut()?.text.push_str(&data.decode().ok()?),
            Event::GeneralRef(reference) => open.last_mut()?.text.push_str(&resolved(&reference)?),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    if open.len() != 1 {
        return None;
    }
    open.pop()?.children.into_iter().next()
}

fn resolved(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    resolve_xml_entity(&reference.decode().ok()?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_sns_is_read() {
        let answer = r#"<?xml version="1.0"?>
            <GetTopicAttributesResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><GetTopicAttributesResult><Attributes>
              <entry><key>Policy</key><value>{&quot;a&quot;:&#49;}</value></entry><entry><key>DisplayName</key><value/></entry>
            </Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>"#;
        let root = parse(answer.as_bytes()).expect("XML");
        let result = root.child("GetTopicAttributesResult").expect("its result");
        let entries: Vec<(String, String)> = result.entries("Attributes").collect();
        let owned = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(entries, [owned("Policy", "{\"a\":1}"), owned("DisplayName", "")]);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let deep = "<a>".repeat(100);
        for text in ["", "{}", "<a>", "<a></b>", "<a>&custom;</a>", &deep] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
