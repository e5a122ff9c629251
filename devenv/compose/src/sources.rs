//! The files of one model, each read and parsed once, within limits for all of them together.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::problem::{Mistakes, Problem};
use devenv_document::source::SourceFile;
use devenv_document::tree::{Data, Entry, Node};
use devenv_document::yaml;

use crate::dotenv::{self, Variable};
use crate::files::Files;
use crate::interpolate::{Lookup, interpolate_noting};
use crate::node::size;

/// `extends` and `include` may repeat a file's values many times; no real project has as many.
const NODE_LIMIT: usize = 200_000;
/// The limit of the values with their variables and of all files of variables, in bytes.
const TEXT_LIMIT: usize = 16 * 1024 * 1024;
/// The limit of all files together, in bytes.
const FILES_LIMIT: usize = 8 * 1024 * 1024;

/// The reason a file cannot be read.
pub(crate) enum Unread {
    Failed(std::io::Error),
    Mistakes(Mistakes),
}

pub(crate) struct Sources<'a> {
    files: &'a dyn Files,
    /// The folder that the paths in messages begin at.
    root: &'a Utf8Path,
    parsed: BTreeMap<Utf8PathBuf, Rc<Node>>,
    read: BTreeMap<Utf8PathBuf, Arc<SourceFile>>,
    pub(crate) problems: Vec<Problem>,
    /// The variables that the files name and nobody sets.
    pub(crate) unset: BTreeSet<String>,
    nodes: usize,
    text: usize,
    bytes: usize,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(files: &'a dyn Files, root: &'a Utf8Path) -> Self {
        Self {
            files,
            root,
            parsed: BTreeMap::new(),
            read: BTreeMap::new(),
            problems: Vec::new(),
            unset: BTreeSet::new(),
            nodes: 0,
            text: 0,
            bytes: 0,
        }
    }

    /// Parses a Compose file.
    pub(crate) fn compose(&mut self, path: &Utf8Path) -> Result<Rc<Node>, Unread> {
        if let Some(node) = self.parsed.get(path) {
            return Ok(Rc::clone(node));
        }
        let file = self.source(path)?;
        let parsed = yaml::parse_optional(&file).map_err(|problem| Unread::Mistakes(problem.into()))?;
        // An empty file among others adds nothing.
        let node = parsed.filter(|node| !node.is_null());
        let node = Rc::new(node.unwrap_or_else(|| Node::new(&file, 0..0, Data::Mapping(Vec::new()))));
        self.parsed.insert(path.to_owned(), Rc::clone(&node));
        Ok(node)
    }

    /// Parses a Compose file that another one names at `place`. Reports why it cannot be read.
    pub(crate) fn named(&mut self, path: &Utf8Path, place: &Node) -> Option<Rc<Node>> {
        let read = self.compose(path);
        self.reported(read, path, place)
    }

    /// Reports why a file, named at `place`, cannot be read.
    fn reported<T>(&mut self, read: Result<T, Unread>, path: &Utf8Path, place: &Node) -> Option<T> {
        match read {
            Ok(read) => return Some(read),
            Err(Unread::Mistakes(mistakes)) => self.problems.extend(mistakes.problems),
            Err(Unread::Failed(error)) => {
                let message = format!("cannot read {}: {error}", self.shown(path));
                self.problems.push(Problem::at("compose.file", place, message));
            }
        }
        None
    }

    pub(crate) fn is_file(&self, path: &Utf8Path) -> bool {
        self.files.is_file(path)
    }

    /// Returns the path as messages show it.
    pub(crate) fn shown(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.strip_prefix(self.root).unwrap_or(path).to_owned()
    }

    fn source(&mut self, path: &Utf8Path) -> Result<Arc<SourceFile>, Unread> {
        if let Some(file) = self.read.get(path) {
            return Ok(Arc::clone(file));
        }
        let content = self.files.read(path, SourceFile::SIZE_LIMIT as u64).map_err(Unread::Failed)?;
        self.bytes += content.len();
        if self.bytes > FILES_LIMIT {
            let message = format!("the project's files have more than {FILES_LIMIT} bytes");
            return Err(Unread::Failed(std::io::Error::other(message)));
        }
        let file = Arc::new(SourceFile::new(self.shown(path), content).map_err(Unread::Mistakes)?);
        self.read.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    /// Reads a file of variables.
    pub(crate) fn variables(
        &mut self,
        path: &Utf8Path,
        raw: bool,
        outer: &BTreeMap<String, String>,
    ) -> Result<(Arc<SourceFile>, Vec<Variable>), Unread> {
        let file = self.source(path)?;
        // The check comes first too: many services may name one long file.
        self.check_text(&file)?;
        let variables = if raw {
            dotenv::parse_raw(&file)
        } else {
            dotenv::parse(&file, outer).map_err(|problem| Unread::Mistakes(problem.into()))?
        };
        let length: usize = variables.iter().map(|variable| variable.value.len()).sum();
        self.text = self.text.saturating_add(length);
        self.nodes = self.nodes.saturating_add(variables.len());
        self.check_text(&file)?;
        Ok((file, variables))
    }

    fn check_text(&self, file: &Arc<SourceFile>) -> Result<(), Unread> {
        if self.text <= TEXT_LIMIT && self.nodes <= NODE_LIMIT {
            return Ok(());
        }
        let message =
            format!("the project's files of variables have more than {TEXT_LIMIT} bytes, counted at each use");
        Err(Unread::Mistakes(Problem::new("compose.too_large", file, 0..0, message).into()))
    }

    /// Reads a file of variables that a Compose file names at `place`. Reports why it cannot be read.
    pub(crate) fn named_variables(
        &mut self,
        path: &Utf8Path,
        raw: bool,
        outer: &BTreeMap<String, String>,
        place: &Node,
    ) -> Option<(Arc<SourceFile>, Vec<Variable>)> {
        let read = self.variables(path, raw, outer);
        self.reported(read, path, place)
    }

    /// Counts the values of a tree that is used once more. Reports when there are too many, and then returns false.
    pub(crate) fn spend(&mut self, node: &Node) -> bool {
        let before = self.nodes;
        self.nodes = self.nodes.saturating_add(size(node));
        if self.nodes > NODE_LIMIT && before <= NODE_LIMIT {
            let message =
                format!("the project has more than {NODE_LIMIT} values; each use of a file or service counts");
            self.problems.push(Problem::at("compose.too_large", node, message).help("split or shorten it"));
        }
        self.nodes <= NODE_LIMIT
    }

    /// Returns the same tree with every variable replaced.
    pub(crate) fn interpolated(&mut self, node: &Node, lookup: Lookup) -> Node {
        let data = match &node.data {
            Data::Scalar { text, plain } => self.scalar(node, text, *plain, lookup),
            Data::Sequence(items) => Data::Sequence(items.iter().map(|item| self.interpolated(item, lookup)).collect()),
            Data::Mapping(entries) => {
                let interpolated =
                    |entry: &Entry| Entry { value: self.interpolated(&entry.value, lookup), ..entry.clone() };
                Data::Mapping(entries.iter().map(interpolated).collect())
            }
        };
        node.with(data)
    }

    fn scalar(&mut self, node: &Node, text: &str, plain: bool, lookup: Lookup) -> Data {
        if !text.contains('$') || self.text > TEXT_LIMIT {
            return node.data.clone();
        }
        match interpolate_noting(text, lookup, &mut self.unset) {
            Ok(filled) => {
                self.text = self.text.saturating_add(filled.len());
                if self.text > TEXT_LIMIT {
                    let message = format!("the values have more than {TEXT_LIMIT} bytes with their variables");
                    self.problems.push(Problem::at("compose.too_large", node, message));
                    return node.data.clone();
                }
                // A variable's value is a text, whatever it looks like.
                Data::Scalar { plain: plain && filled == text, text: filled }
            }
            Err(failure) => {
                let span = node.file.within(&node.span, text, &failure.span);
                let problem = Problem::new("compose.variable", &node.file, span, failure.message);
                self.problems.push(problem.maybe_help(failure.help));
                node.data.clone()
            }
        }
    }
}
