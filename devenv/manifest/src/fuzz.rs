//! The properties that the fuzz targets (`fuzz/`) check: places lie within the text, and both readings of JSON agree.
//! Compiled only for fuzzing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::compose_reader::Reader;
use camino::{Utf8Path, Utf8PathBuf};
use devenv_compose::files::Memory;
use devenv_compose::interpolate as interpolation;
use devenv_compose::load::{Error, FileChoice, Request, load};
use devenv_compose::print;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::{Data, Node};
use devenv_document::{json as json_tree, yaml as yaml_tree};

pub fn yaml(text: &str) {
    let file = file(text);
    match yaml_tree::parse(&file) {
        Ok(node) => within(text, &node),
        Err(problem) => placed(text, &problem),
    }
}

pub fn json(text: &str) {
    let file = file(text);
    match json_tree::parse(&file, "fuzz") {
        Ok((node, value)) => {
            within(text, &node);
            assert!(same(&node, &value), "{node:?} is not {value}");
        }
        Err(problem) => placed(text, &problem),
    }
}

/// The text is the one Compose file of a project.
pub fn compose(text: &str) {
    let files = Memory(BTreeMap::from([("/p/compose.yaml".into(), text.as_bytes().to_vec())]));
    services(&files);
}

/// The text is several files of a project, with lines of two percent signs between them.
pub fn project(text: &str) {
    let names = ["compose.yaml", "compose.override.yaml", "other.yaml", ".env", "web.env"];
    let parts = names.iter().zip(text.split("\n%%\n"));
    let files = parts.map(|(name, part)| (Utf8PathBuf::from("/p").join(name), part.as_bytes().to_vec()));
    services(&Memory(files.collect()));
}

fn services(files: &Memory) {
    let (root, variables) = (Utf8Path::new("/p"), variables());
    let (choice, profiles, env_files) = (FileChoice::Found, vec!["*".to_owned()], Vec::new());
    let request = Request { folder: root, root, files: choice, profiles, env_files, variables: &variables };
    match load(&request, files) {
        Ok(project) => {
            let mut reader = Reader::default();
            let read = reader.services(&project, root);
            assert!(read.is_some() || !reader.problems.is_empty(), "an unreadable file has a problem");
            reader.problems.iter().for_each(|problem| placed(&problem.file.text, problem));
            for service in read.into_iter().flatten() {
                let dependencies = service.dependency_places.values();
                let places = [&service.name_place].into_iter().chain(&service.port_places).chain(dependencies);
                places.for_each(|place| inside(&place.file.text, &place.span));
            }
            let _ = (print::yaml(&project), print::json(&project));
        }
        Err(Error::Mistakes(mistakes)) => {
            mistakes.problems.iter().for_each(|problem| placed(&problem.file.text, problem));
        }
        // A variable may name a file that is not there.
        Err(_) => {}
    }
}

pub fn interpolate(text: &str) {
    match interpolation::interpolate(text, &|name| variables().get(name).cloned()) {
        Ok(result) => assert!(text.contains('$') || result == text, "a text without a variable stays as it is"),
        Err(failure) => inside(text, &failure.span),
    }
}

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: "fuzz".into(), text: text.to_owned() })
}

fn variables() -> BTreeMap<String, String> {
    BTreeMap::from([("A".to_owned(), "a".to_owned()), ("EMPTY".to_owned(), String::new())])
}

fn inside(text: &str, span: &Range<usize>) {
    assert!(text.get(span.clone()).is_some(), "{span:?} is outside the text of {} bytes", text.len());
}

fn placed(text: &str, problem: &Problem) {
    inside(text, &problem.span);
    if let Some((other, _)) = &problem.other {
        inside(text, other);
    }
}

fn within(text: &str, node: &Node) {
    inside(text, &node.span);
    for item in node.items().unwrap_or_default() {
        within(text, item);
    }
    for entry in node.entries().unwrap_or_default() {
        inside(text, &entry.key_span);
        within(text, &entry.value);
    }
}

/// Whether both readings of a JSON text agree.
fn same(node: &Node, value: &Value) -> bool {
    match (&node.data, value) {
        (Data::Scalar { text, plain: false }, Value::String(value)) => text == value,
        (Data::Scalar { text, plain: true }, value) => {
            serde_json::from_str::<Value>(text).is_ok_and(|read| read == *value)
        }
        (Data::Sequence(nodes), Value::Array(values)) => {
            nodes.len() == values.len() && nodes.iter().zip(values).all(|(node, value)| same(node, value))
        }
        (Data::Mapping(entries), Value::Object(values)) => {
            entries.len() == values.len()
                && entries.iter().all(|entry| values.get(&entry.key).is_some_and(|value| same(&entry.value, value)))
        }
        _ => false,
    }
}
