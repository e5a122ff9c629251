//! Writes table files from the tables of a running emulator.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Write};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;
use devenv_document::source::SourceFile;
use devenv_engine::Error;
use devenv_manifest::load::{find_root, tables_folder};
use devenv_resources::dynamo::import::{ImportedTable, tables};
use devenv_resources::endpoint::{DUMMY, Endpoint};
use devenv_runtime::Error as RuntimeError;
use devenv_terminal::arguments::Import;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::{Value, json};

/// The folder if no devenv.toml names one.
const TABLES: &str = "tables";

pub(super) async fn run(context: &Context, arguments: Import) -> Result<Outcome, Failure> {
    let endpoint = Endpoint::parse(&arguments.from).map_err(Error::from)?;
    let (folder, is_named) = folder(&context.options.directory)?;
    let access_key = arguments.access_key.as_deref().unwrap_or(DUMMY);
    let tables = tables(&endpoint, &arguments.region, access_key).await.map_err(Error::from)?;
    let known = known(&folder);
    let mut written = Vec::new();
    let mut kept = Vec::new();
    let mut text = Vec::new();
    for table in &tables {
        let path = folder.join(format!("{}.json", table.name));
        for setting in &table.left_out {
            context.emitter.notice(format!("{} has {setting}", table.name));
        }
        if known.contains(&table.name) || path.symlink_metadata().is_ok() {
            context.emitter.notice(format!("{} has a file already, which stays as it is", table.name));
            kept.push(table.name.clone());
            continue;
        }
        if arguments.dry_run {
            text.push(format!("# {path}\n{}", table.text()));
        } else {
            write(&path, table)?;
        }
        written.push(path);
    }
    text.push(summary(&tables, &written, arguments.dry_run));
    if !written.is_empty() && !is_named {
        text.push(format!("next: add this line to devenv.toml: tables = \"{TABLES}\""));
    }
    let definitions: Vec<&Value> = tables.iter().map(|table| &table.definition).collect();
    let fields = json!({
        "written": if arguments.dry_run { &[][..] } else { &written[..] }, "kept": kept, "tables": definitions,
    });
    Ok(Outcome::done(text.join("\n"), &fields))
}

/// The folder of table files, and whether a devenv.toml names it.
fn folder(directory: &Utf8Path) -> Result<(Utf8PathBuf, bool), Failure> {
    let read = |source| RuntimeError::ReadFile { path: directory.to_owned(), source };
    let directory = directory.canonicalize_utf8().map_err(read)?;
    let Some(root) = find_root(&directory) else {
        return Ok((directory.join(TABLES), false));
    };
    let named = tables_folder(root).map_err(RuntimeError::from)?;
    Ok((root.join(named.as_deref().unwrap_or(TABLES.into())), named.is_some()))
}

/// The names of the tables that files in the folder describe, whatever the files are called.
fn known(folder: &Utf8Path) -> BTreeSet<String> {
    let files = folder.read_dir_utf8().into_iter().flatten().flatten();
    files
        .filter(|file| file.path().extension() == Some("json"))
        .filter_map(|file| {
            let content = input::read(file.path(), SourceFile::SIZE_LIMIT as u64).ok()?;
            let table: Value = serde_json::from_slice(&content).ok()?;
            Some(table["TableName"].as_str()?.to_owned())
        })
        .collect()
}

fn write(path: &Utf8Path, table: &ImportedTable) -> Result<(), Failure> {
    let failed = |source| Failure::from(RuntimeError::State { path: path.to_owned(), source });
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    match File::create_new(path) {
        Ok(mut file) => file.write_all(table.text().as_bytes()).map_err(failed),
        // Another command has just made it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn summary(tables: &[ImportedTable], written: &[Utf8PathBuf], dry_run: bool) -> String {
    if tables.is_empty() {
        let why = "DynamoDB Local has other tables for each access key and region: --access-key KEY --region REGION";
        return format!("the emulator has no table ({why})");
    }
    let verb = if dry_run { "would write" } else { "wrote" };
    let paths: Vec<&str> = written.iter().map(|path| path.as_str()).collect();
    if paths.is_empty() { "every table has a file already".to_owned() } else { format!("{verb} {}", paths.join(", ")) }
}
