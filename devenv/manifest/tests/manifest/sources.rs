use std::collections::BTreeMap;
use std::ops::Range;

use camino::Utf8Path;
use devenv_compose::files::Memory;
use devenv_compose::load::{Error, FileChoice, Request, load};
use devenv_document::problem::{Mistakes, Problem};
use devenv_document::source::SourceFile;
use devenv_manifest::assemble::assemble;
use devenv_manifest::settings::Settings;
use devenv_model::manifest::Manifest;
use devenv_resource_files::ResourceFiles;

/// A small project; each test spoils one of its files.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) settings: String,
    pub(crate) compose: String,
    pub(crate) tables: Vec<(String, String)>,
    pub(crate) queues: Vec<(String, String)>,
    pub(crate) topics: Vec<(String, String)>,
    pub(crate) subscriptions: Vec<(String, String)>,
    pub(crate) databases: Vec<(String, String)>,
    pub(crate) functions: Vec<(String, String)>,
    pub(crate) mappings: Vec<(String, String)>,
    pub(crate) seeds: Vec<(String, String)>,
    pub(crate) variables: Vec<(String, String)>,
}

pub(crate) const TABLE: &str = r#"{
  "TableName": "items",
  "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
  "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
  "BillingMode": "PAY_PER_REQUEST"
}
"#;

impl Sources {
    pub(crate) fn good() -> Self {
        Self {
            settings: r#"version = 1
name = "shop"
compose = "compose.yaml"
tables = "tables"
seeds = "seeds"

[services.web]
health = "/health"

[services.web.process]
package = "web"
env = { BIND = "127.0.0.1:${port:80}" }
"#
            .to_owned(),
            compose: "services:
  web:
    image: web:1
    ports: [\"8080:80\"]
    depends_on: [back]
  back:
    image: back:1
"
            .to_owned(),
            tables: vec![("items".to_owned(), TABLE.to_owned())],
            queues: Vec::new(),
            topics: Vec::new(),
            subscriptions: Vec::new(),
            databases: Vec::new(),
            functions: Vec::new(),
            mappings: Vec::new(),
            seeds: vec![("items".to_owned(), r#"[{ "id": { "S": "a" } }]"#.to_owned())],
            variables: Vec::new(),
        }
    }

    pub(crate) fn assemble(&self) -> Result<Manifest, Mistakes> {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.to_owned() };
        let folder = |folder: &str, files: &[(String, String)]| -> Vec<SourceFile> {
            files.iter().map(|(name, text)| file(&format!("{folder}/{name}.json"), text)).collect()
        };
        let settings = Settings::parse(file("devenv.toml", &self.settings))?;
        let variables: BTreeMap<String, String> = self.variables.iter().cloned().collect();
        let root = Utf8Path::new("/shop");
        let request = Request {
            folder: root,
            root,
            files: FileChoice::Named(vec!["compose.yaml".into()]),
            profiles: Vec::new(),
            env_files: Vec::new(),
            variables: &variables,
        };
        let path = root.join("compose.yaml");
        let files = Memory(BTreeMap::from([(path, self.compose.clone().into_bytes())]));
        let compose = load(&request, &files).map_err(|error| match error {
            Error::Mistakes(mistakes) => mistakes,
            other => panic!("{other}"),
        });
        let sources = ResourceFiles {
            tables: folder("tables", &self.tables),
            queues: folder("queues", &self.queues),
            topics: folder("topics", &self.topics),
            subscriptions: folder("subscriptions", &self.subscriptions),
            databases: folder("databases", &self.databases),
            functions: folder("functions", &self.functions),
            event_source_mappings: folder("event-source-mappings", &self.mappings),
            seeds: folder("seeds", &self.seeds),
        };
        assemble(root.to_owned(), settings, compose, &sources, &variables)
    }

    /// Draws every mistake at its place. Panics if the project has none.
    pub(crate) fn drawn(&self) -> String {
        let error = self.assemble().expect_err("the project is spoilt");
        error.problems.iter().map(drawn).collect::<Vec<_>>().join("\n")
    }
}

fn drawn(problem: &Problem) -> String {
    let mut lines = vec![problem.code.to_owned(), problem.to_string()];
    lines.extend(marked(&problem.file, &problem.span));
    if let Some((span, words)) = &problem.other {
        lines.push((*words).to_owned());
        lines.extend(marked(&problem.file, span));
    }
    lines.extend(problem.help.iter().map(|help| format!("help: {help}")));
    lines.join("\n") + "\n"
}

/// The first line of `span`, and marks under the spanned part.
fn marked(file: &SourceFile, span: &Range<usize>) -> [String; 2] {
    let (line, column) = file.position(span.start);
    let text = file.text.lines().nth(line - 1).unwrap_or_default();
    let meant = file.text.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default();
    let marks = "^".repeat(meant.chars().count().max(1));
    [format!("  | {text}"), format!("  | {}{marks}", " ".repeat(column - 1))]
}
