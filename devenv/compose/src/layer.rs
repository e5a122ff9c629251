//! One Compose file in its canonical form, with `extends` carried out, and the join of several files and their includes.

use std::collections::BTreeMap;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::problem::Problem;
use devenv_document::tree::{Data, Entry, MergeTag, Node};

use crate::canonical::Canonical;
use crate::keys::{FILE, SECTIONS, SERVICE};
use crate::merge::merge;
use crate::node::{entries_mut, get_mut, mapping, remove, set, set_default, settle, text};
use crate::shape::Shape;
use crate::sources::Sources;

/// Longer chains of `extends` or `include` are mistakes.
const DEPTH_LIMIT: usize = 32;

/// The surroundings of a file, which give its paths and variables their meaning.
pub(crate) struct Scope<'a> {
    /// The folder that relative paths begin at.
    pub(crate) base: &'a Utf8Path,
    pub(crate) variables: &'a BTreeMap<String, String>,
}

/// A service of a file, which may extend another.
struct Service<'a> {
    path: &'a Utf8Path,
    document: &'a Rc<Node>,
    name: &'a str,
}

pub(crate) struct Layers<'s, 'a> {
    pub(crate) sources: &'s mut Sources<'a>,
    pub(crate) home: Option<&'s str>,
}

impl Layers<'_, '_> {
    /// Joins files, each a layer over the files before it, with the projects that they include.
    pub(crate) fn model(
        &mut self,
        files: &[(Utf8PathBuf, Rc<Node>)],
        scope: &Scope,
        including: &mut Vec<Utf8PathBuf>,
    ) -> Option<Node> {
        let mut joined: Option<Node> = None;
        for (path, document) in files {
            let layer = self.layer(path, document, scope)?;
            joined = Some(match joined {
                Some(base) => merge(base, layer, &FILE),
                None => layer,
            });
        }
        let mut model = joined?;
        settle(&mut model);
        default_contexts(&mut model, scope.base);
        if let Some(includes) = remove(&mut model, "include") {
            including.extend(files.iter().map(|(path, _)| path.clone()));
            for include in includes.items().unwrap_or_default() {
                self.include(&mut model, include, scope, including);
            }
            including.truncate(including.len() - files.len());
        }
        Some(model)
    }

    fn layer(&mut self, path: &Utf8Path, document: &Rc<Node>, scope: &Scope) -> Option<Node> {
        let Data::Mapping(entries) = &document.data else {
            let message = format!("expected a mapping, found {}", document.kind());
            self.sources.problems.push(Problem::at("compose.value", document, message));
            return None;
        };
        // Services are read one by one: each may extend another.
        let rest = entries.iter().filter(|entry| entry.key != "services").cloned().collect();
        let rest = self.interpolated(&document.with(Data::Mapping(rest)), scope)?;
        let mut layer = self.canonical(&rest, &FILE, scope.base)?;
        if let Some(services) = document.get("services") {
            set(&mut layer, "services", self.services(path, document, services, scope)?);
        }
        Some(layer)
    }

    fn services(&mut self, path: &Utf8Path, document: &Rc<Node>, services: &Node, scope: &Scope) -> Option<Node> {
        let Data::Mapping(entries) = &services.data else {
            if services.tag == MergeTag::Reset || services.is_null() {
                return Some(mapping(services, Vec::<(&str, Node)>::new()));
            }
            let message = format!("expected a mapping, found {}", services.kind());
            self.sources.problems.push(Problem::at("compose.value", services, message));
            return None;
        };
        // The names alone, for their check.
        let names = entries
            .iter()
            .map(|entry| Entry { value: mapping(&entry.value, Vec::<(&str, Node)>::new()), ..entry.clone() });
        let mut read =
            self.canonical(&services.with(Data::Mapping(names.collect())), &Shape::Named(&SERVICE), scope.base)?;
        for (place, entry) in entries_mut(&mut read).iter_mut().zip(entries) {
            let service = Service { path, document, name: &entry.key };
            if let Some(value) = self.service(&service, &entry.value, scope, &mut Vec::new()) {
                place.value = value;
            }
        }
        Some(read)
    }

    /// Reads a service, joined to the service that it extends.
    fn service(
        &mut self,
        service: &Service,
        node: &Node,
        scope: &Scope,
        chain: &mut Vec<(Utf8PathBuf, String)>,
    ) -> Option<Node> {
        let node = self.interpolated(node, scope)?;
        if node.is_null() && node.tag == MergeTag::Join {
            return Some(mapping(&node, Vec::<(&str, Node)>::new()));
        }
        let mut own = self.canonical(&node, &SERVICE, scope.base)?;
        let Some(extends) = remove(&mut own, "extends") else {
            return Some(own);
        };
        let Some(name) = extends.get("service") else {
            self.sources.problems.push(Problem::at("compose.extends", &extends, "there is no `service` to extend"));
            return None;
        };
        let (path, document, base) = match extends.get("file") {
            Some(file) => {
                let path = Utf8PathBuf::from(file.text().unwrap_or_default());
                let document = self.sources.named(&path, file)?;
                let base = path.parent().unwrap_or(scope.base).to_owned();
                (path, document, base)
            }
            None => (service.path.to_owned(), Rc::clone(service.document), scope.base.to_owned()),
        };
        let wanted = name.text().unwrap_or_default();
        chain.push((service.path.to_owned(), service.name.to_owned()));
        if chain.iter().any(|(file, name)| *file == path && name == wanted) || chain.len() > DEPTH_LIMIT {
            let message = format!("{} extends itself, over {wanted}", service.name);
            self.sources.problems.push(Problem::at("compose.cycle", name, message).help("remove one `extends`"));
            return None;
        }
        let Some(found) = document.get("services").and_then(|services| services.get(wanted)) else {
            let message = format!("{} has no service {wanted}", self.sources.shown(&path));
            self.sources.problems.push(Problem::at("compose.extends", name, message));
            return None;
        };
        let scope = Scope { base: &base, variables: scope.variables };
        let extended = Service { path: &path, document: &document, name: wanted };
        let base = self.service(&extended, found, &scope, chain)?;
        chain.pop();
        Some(merge(base, own, &SERVICE))
    }

    fn include(&mut self, model: &mut Node, include: &Node, scope: &Scope, including: &mut Vec<Utf8PathBuf>) {
        let texts = |key: &str| include.get(key).and_then(Node::items).unwrap_or_default().to_vec();
        let paths = texts("path");
        let Some(first) = paths.first().and_then(Node::text).map(Utf8PathBuf::from) else {
            self.sources.problems.push(Problem::at("compose.include", include, "there is no `path` to include"));
            return;
        };
        if including.contains(&first) || including.len() > DEPTH_LIMIT {
            let message = format!("{} is included by itself", self.sources.shown(&first));
            self.sources.problems.push(Problem::at("compose.cycle", &paths[0], message).help("remove one `include`"));
            return;
        }
        let base = match include.get("project_directory").and_then(Node::text) {
            Some(folder) => Utf8PathBuf::from(folder),
            None => first.parent().unwrap_or(scope.base).to_owned(),
        };
        let mut files = Vec::new();
        for path in &paths {
            let file = Utf8PathBuf::from(path.text().unwrap_or_default());
            match self.sources.named(&file, path) {
                Some(document) => files.push((file, document)),
                None => return,
            }
        }
        let mut env_files = texts("env_file");
        let beside = base.join(".env");
        if env_files.is_empty() && self.sources.is_file(&beside) {
            env_files.push(text(include, beside));
        }
        let mut variables = scope.variables.clone();
        let mut of_files = BTreeMap::new();
        for file in &env_files {
            let path = Utf8PathBuf::from(file.text().unwrap_or_default());
            let outer: BTreeMap<String, String> = of_files.clone().into_iter().chain(scope.variables.clone()).collect();
            if let Some((_, found)) = self.sources.named_variables(&path, false, &outer, file) {
                of_files.extend(found.into_iter().map(|variable| (variable.name, variable.value)));
            }
        }
        for (name, value) in of_files {
            variables.entry(name).or_insert(value);
        }
        let scope = Scope { base: &base, variables: &variables };
        if let Some(included) = self.model(&files, &scope, including) {
            self.import(model, included, &paths[0]);
        }
    }

    /// Adds the entries of an included model.
    fn import(&mut self, model: &mut Node, mut included: Node, place: &Node) {
        for section in SECTIONS {
            let Some(entries) = remove(&mut included, section) else { continue };
            let Data::Mapping(entries) = entries.data else { continue };
            for entry in entries {
                let own = model.get(section).and_then(|section| section.get(&entry.key));
                match own {
                    Some(own) if same(own, &entry.value) => continue,
                    Some(_) => {
                        let message = format!("{} under {section} is also in a file included here", entry.key);
                        self.sources
                            .problems
                            .push(Problem::at("compose.include", place, message).help("rename one of them"));
                        continue;
                    }
                    None => {}
                }
                if model.get(section).is_none() {
                    set(model, section, mapping(place, Vec::<(&str, Node)>::new()));
                }
                if let Some(section) = get_mut(model, section) {
                    entries_mut(section).push(entry);
                }
            }
        }
    }

    fn canonical(&mut self, node: &Node, shape: &Shape, base: &Utf8Path) -> Option<Node> {
        let mut canonical = Canonical::new(base, self.home, self.sources.problems.len());
        let read = canonical.value(node, shape);
        self.sources.problems.append(&mut canonical.problems);
        read
    }

    fn interpolated(&mut self, node: &Node, scope: &Scope) -> Option<Node> {
        if !self.sources.spend(node) {
            return None;
        }
        Some(self.sources.interpolated(node, &|name| scope.variables.get(name).cloned()))
    }
}

/// Services are built from the folder of their project unless they name another.
fn default_contexts(model: &mut Node, base: &Utf8Path) {
    for entry in get_mut(model, "services").map(entries_mut).into_iter().flatten() {
        if let Some(build) = get_mut(&mut entry.value, "build") {
            set_default(build, "context", |place| text(place, base.as_str()));
        }
    }
}

/// Whether two values are equal, wherever they stand.
fn same(one: &Node, other: &Node) -> bool {
    match (&one.data, &other.data) {
        (Data::Scalar { .. }, Data::Scalar { .. }) => one.data == other.data,
        (Data::Sequence(ones), Data::Sequence(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| same(one, other))
        }
        (Data::Mapping(ones), Data::Mapping(others)) => {
            ones.len() == others.len()
                && ones.iter().all(|one| other.get(&one.key).is_some_and(|other| same(&one.value, other)))
        }
        _ => false,
    }
}
