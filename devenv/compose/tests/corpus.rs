//! Compares our model of each project of the corpus with the output of `docker compose config --format json`.
//! `tests/update` writes the expected results anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_compose::files::Disk;
use devenv_compose::load::{FileChoice, Project, Request, load};
use devenv_compose::print;
use serde_json::Value;

/// The difference of a whole result: we accept what the plugin refuses.
const ACCEPTED: &str = "accepted";
/// We refuse what the plugin accepts.
const REFUSED: &str = "refused";

fn corpus() -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn lines(path: &Utf8Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Reads a project of the corpus with its arguments and variables.
fn read(folder: &Utf8Path) -> Result<Project, String> {
    let mut variables = BTreeMap::from([("HOME".to_owned(), "/home/user".to_owned())]);
    for line in lines(&folder.join("variables")) {
        let (name, value) = line.split_once('=').expect("NAME=value");
        variables.insert(name.to_owned(), value.to_owned());
    }
    let (mut files, mut profiles, mut env_files) = (Vec::new(), Vec::new(), Vec::new());
    for pair in lines(&folder.join("arguments")).chunks(2) {
        match pair {
            [option, value] if option == "-f" => files.push(value.into()),
            [option, value] if option == "--profile" => profiles.push(value.clone()),
            [option, value] if option == "--env-file" => env_files.push(value.into()),
            other => panic!("unknown arguments {other:?}"),
        }
    }
    let files = if files.is_empty() { FileChoice::Found } else { FileChoice::Named(files) };
    let request = Request { folder, root: folder, files, profiles, env_files, variables: &variables };
    load(&request, &Disk).map_err(|error| error.to_string())
}

/// Adds the paths at which two values differ.
fn differences(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
                let path = if path.is_empty() { key.clone() } else { [path, ".", key].concat() };
                match (ours.get(key), theirs.get(key)) {
                    (Some(ours), Some(theirs)) => differences(&path, ours, theirs, found),
                    _ => found.push(path),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (place, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                differences(&[path, ".", &place.to_string()].concat(), ours, theirs, found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(path.to_owned()),
    }
}

fn compare(name: &str) -> Vec<String> {
    let folder = corpus().join(name);
    let expected = std::fs::read_to_string(folder.join("expected.json")).ok();
    match (read(&folder), expected) {
        (Ok(project), Some(expected)) => {
            let ours = print::json(&project).to_string().replace(corpus().as_str(), "/corpus");
            let ours: Value = serde_json::from_str(&ours).expect("JSON");
            let mut found = Vec::new();
            differences("", &ours, &serde_json::from_str(&expected).expect("JSON"), &mut found);
            found
        }
        (Ok(_), None) => vec![ACCEPTED.to_owned()],
        (Err(_), Some(_)) => vec![REFUSED.to_owned()],
        (Err(_), None) => Vec::new(),
    }
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = corpus()
        .read_dir_utf8()
        .expect("the corpus")
        .map(|entry| entry.expect("readable").file_name().to_owned())
        .collect();
    names.sort();
    names
}

/// The table of `docs/compose.md`: the differences that we know of.
fn listed() -> BTreeSet<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compose.md");
    let text = std::fs::read_to_string(document).expect("docs/compose.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows =
        rows.filter_map(|row| row.split_once("` | `").and_then(|(name, rest)| Some((name, rest.split_once('`')?.0))));
    rows.map(|(name, path)| format!("{name}: {path}")).collect()
}

#[test]
fn our_models_equal_those_of_docker_compose_but_for_the_listed_differences() {
    let found: BTreeSet<String> = names()
        .iter()
        .flat_map(|name| compare(name).into_iter().map(move |difference| format!("{name}: {difference}")))
        .collect();
    let listed = listed();
    let covers = |row: &str, difference: &str| match row.strip_suffix('*') {
        Some(beginning) => difference.starts_with(beginning),
        None => row == difference,
    };
    let unlisted: Vec<&String> = found.iter().filter(|found| !listed.iter().any(|row| covers(row, found))).collect();
    let gone: Vec<&String> = listed.iter().filter(|row| !found.iter().any(|found| covers(row, found))).collect();
    assert!(unlisted.is_empty() && gone.is_empty(), "not listed: {unlisted:#?}\nlisted, but not found: {gone:#?}");
}
