//! Reads the files of a project from the disk.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::manifest::Manifest;

use crate::assemble::assemble;
use crate::compose_model::{ComposeOptions, file_choice};
use crate::settings::Settings;
use devenv_compose::files::Disk;
use devenv_compose::load::{Error as ComposeError, Request};
use devenv_document::input;
use devenv_document::problem::Mistakes;
use devenv_document::source::SourceFile;
use devenv_resource_files::ResourceFiles;

/// The file that makes a folder a project.
pub const MANIFEST: &str = "devenv.toml";

/// The reason a project cannot be read.
#[derive(Debug)]
pub enum Error {
    /// `devenv.toml` itself cannot be read.
    Unread {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    /// A file that `devenv.toml` names cannot be read. `mistake` applies if the file is to blame, not the machine.
    Named {
        path: Utf8PathBuf,
        source: std::io::Error,
        mistake: Mistakes,
    },
    /// Neither the folder nor one above it has a Compose file.
    NoComposeFile {
        folder: Utf8PathBuf,
    },
    Mistakes(Mistakes),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread { path, source } => write!(formatter, "cannot read {path}: {source}"),
            Self::NoComposeFile { folder } => write!(formatter, "no Compose file in {folder} or any folder above it"),
            Self::Named { mistake, .. } | Self::Mistakes(mistake) => mistake.fmt(formatter),
        }
    }
}

impl std::error::Error for Error {}

impl From<Mistakes> for Error {
    fn from(error: Mistakes) -> Self {
        Self::Mistakes(error)
    }
}

/// Returns the nearest folder with a `devenv.toml`, from `start` upwards.
pub fn find_root(start: &Utf8Path) -> Option<&Utf8Path> {
    start.ancestors().find(|folder| folder.join(MANIFEST).is_file())
}

/// Returns the caller's environment variables. Leaves out names and values that are not UTF-8.
pub fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

pub(crate) fn settings(root: &Utf8Path) -> Result<Settings, Error> {
    let settings = read(root, Utf8Path::new(MANIFEST)).map_err(|unread| match unread {
        Unread::Failed { path, source } => Error::Unread { path: root.join(path), source },
        Unread::NoText(error) => error.into(),
    })?;
    Ok(Settings::parse(settings)?)
}

/// Returns the folder of the table files that `devenv.toml` in `root` names, relative to it.
pub fn tables_folder(root: &Utf8Path) -> Result<Option<Utf8PathBuf>, Error> {
    Ok(settings(root)?.tables().map(Utf8Path::to_owned))
}

/// Reads every file of the project at `root`, with absolute paths in `options`. Changes nothing.
pub fn load(
    root: &Utf8Path,
    options: &ComposeOptions,
    variables: &BTreeMap<String, String>,
) -> Result<Manifest, Error> {
    let settings = settings(root)?;
    let named = |path: Utf8PathBuf, source: std::io::Error| {
        let mistake = settings.unreadable(&path, &source.to_string());
        Error::Named { path: root.join(path), source, mistake }
    };
    let unreadable = |unread: Unread| match unread {
        Unread::Failed { path, source } => named(path, source),
        Unread::NoText(error) => error.into(),
    };
    let compose_file = settings.compose().map(|path| root.join(path));
    let request = Request {
        folder: root,
        root,
        files: file_choice(options, compose_file.clone()),
        profiles: options.profiles.clone(),
        env_files: options.env_files.clone(),
        variables,
    };
    let compose = match devenv_compose::load::load(&request, &Disk) {
        Ok(project) => Ok(project),
        Err(ComposeError::Mistakes(mistakes)) => Err(mistakes),
        Err(ComposeError::Unread { path, source })
            if compose_file.is_some() && options.files.is_empty() && options.env_files.is_empty() =>
        {
            return Err(named(path.strip_prefix(root).unwrap_or(&path).to_owned(), source));
        }
        // An option or a variable names it.
        Err(ComposeError::Unread { path, source }) => return Err(Error::Unread { path, source }),
        Err(ComposeError::NoFile { folder }) => return Err(Error::NoComposeFile { folder }),
    };
    let folder = |path: Option<&Utf8Path>| path.map_or(Ok(Vec::new()), |path| read_folder(root, path));
    let sources = ResourceFiles {
        tables: folder(settings.tables()).map_err(unreadable)?,
        queues: folder(settings.queues()).map_err(unreadable)?,
        topics: folder(settings.topics()).map_err(unreadable)?,
        subscriptions: folder(settings.subscriptions()).map_err(unreadable)?,
        databases: folder(settings.databases()).map_err(unreadable)?,
        functions: folder(settings.functions()).map_err(unreadable)?,
        event_source_mappings: folder(settings.event_source_mappings()).map_err(unreadable)?,
        seeds: folder(settings.seeds()).map_err(unreadable)?,
    };
    Ok(assemble(root.to_owned(), settings, compose, &sources, variables)?)
}

/// The reason a file of the project cannot be read.
enum Unread {
    Failed {
        /// The path relative to the project's root.
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    NoText(Mistakes),
}

fn read(root: &Utf8Path, path: &Utf8Path) -> Result<SourceFile, Unread> {
    let content = input::read(&root.join(path), SourceFile::SIZE_LIMIT as u64);
    let content = content.map_err(|source| Unread::Failed { path: path.to_owned(), source })?;
    SourceFile::new(path.to_owned(), content).map_err(Unread::NoText)
}

/// Reads a folder's `*.json` files, sorted by name.
fn read_folder(root: &Utf8Path, folder: &Utf8Path) -> Result<Vec<SourceFile>, Unread> {
    let failed = |source| Unread::Failed { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in root.join(folder).read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().extension() == Some("json") {
            names.push(entry.file_name().to_owned());
        }
    }
    names.sort();
    names.iter().map(|name| read(root, &folder.join(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str =
        "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\nseeds = \"seeds\"\n";

    fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("writable");
            std::fs::write(path, text).expect("writable");
        }
        (folder, root)
    }

    #[test]
    fn the_files_that_devenv_toml_names_are_read_and_no_others() {
        let table = r#"{ "TableName": "items", "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }], "BillingMode": "PAY_PER_REQUEST" }"#;
        let (_kept, root) = project(&[
            (MANIFEST, SETTINGS),
            ("compose.yaml", "services:\n  web:\n    image: \"${IMAGE}\"\n"),
            ("tables/items.json", table),
            ("tables/notes.txt", "not a table"),
            ("seeds/items.json", r#"[{ "id": { "S": "a" } }]"#),
        ]);
        let variables = BTreeMap::from([("IMAGE".to_owned(), "web:1".to_owned())]);
        let manifest = load(&root, &ComposeOptions::default(), &variables).expect("no mistake");
        assert_eq!(manifest.services["web"].image.as_deref(), Some("web:1"));
        assert_eq!((manifest.tables.len(), manifest.seeds.len()), (1, 1));
        assert_eq!(find_root(&root.join("tables")), Some(root.as_path()));
    }

    #[test]
    fn the_compose_file_is_read_with_all_that_it_names() {
        let settings = SETTINGS.replace("seeds = \"seeds\"\n", "[services.debug]\nstart = \"at-once\"\n");
        let (_kept, root) = project(&[
            (MANIFEST, &settings),
            ("tables/notes.txt", "not a table"),
            (
                "compose.yaml",
                "include: [data/compose.yaml]\nservices:\n  web:\n    extends: { file: base.yaml, service: base }\n    \
                 env_file: web.env\n    depends_on: { db: { condition: service_started }, debug: { required: false } }\n  \
                 debug: { image: debug, profiles: [debug] }\n",
            ),
            ("compose.override.yaml", "services: { web: { environment: { LEVEL: debug } } }"),
            ("base.yaml", "services: { base: { image: \"web:${TAG}\" } }"),
            ("data/compose.yaml", "services: { db: { image: db } }"),
            ("web.env", "LEVEL=info\nCOLOR='red'\n"),
            (".env", "TAG=3\n"),
        ]);
        let manifest =
            load(&root, &ComposeOptions::default(), &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(manifest.services.keys().collect::<Vec<_>>(), ["db", "web"]);
        let web = &manifest.services["web"];
        assert_eq!(web.image.as_deref(), Some("web:3"));
        assert_eq!((web.environment["LEVEL"].as_str(), web.environment["COLOR"].as_str()), ("debug", "red"));
        assert_eq!(web.depends_on.keys().collect::<Vec<_>>(), ["db"]);
        let variables = BTreeMap::from([("COMPOSE_PROFILES".to_owned(), "debug".to_owned())]);
        assert!(
            load(&root, &ComposeOptions::default(), &variables).expect("no mistake").services.contains_key("debug")
        );
    }

    #[test]
    fn a_mistake_has_its_place_in_the_file_that_has_it() {
        let (_kept, root) = project(&[
            (MANIFEST, SETTINGS),
            ("tables/notes.txt", "not a table"),
            ("seeds/notes.txt", "not a seed"),
            ("compose.yaml", "services: { web: { image: web, ports: [\"80:80\"] } }"),
            (
                "compose.override.yaml",
                "services:\n  web:\n    use_api_socket: true\n  api: { image: api, ports: [\"80:80\"] }\n",
            ),
        ]);
        let error = load(&root, &ComposeOptions::default(), &BTreeMap::new()).expect_err("two mistakes").to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert!(lines[0].starts_with("compose.override.yaml:3:5: devenv does not support"), "{error}");
        assert!(lines[1].ends_with("web already publishes port 80, on line 1 of compose.yaml"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_a_mistake_where_it_is_named() {
        let (_kept, root) = project(&[(MANIFEST, SETTINGS)]);
        let Err(Error::Named { path, mistake, .. }) = load(&root, &ComposeOptions::default(), &BTreeMap::new()) else {
            panic!("the Compose file is not there");
        };
        assert_eq!(path, root.join("compose.yaml"));
        assert!(mistake.to_string().starts_with("devenv.toml:3:11: cannot read compose.yaml"), "{mistake}");
        let (_kept, root) = project(&[]);
        assert!(matches!(load(&root, &ComposeOptions::default(), &BTreeMap::new()), Err(Error::Unread { .. })));
        assert_eq!(find_root(&root), None);
    }
}
