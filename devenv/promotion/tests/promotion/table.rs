//! The table of `docs/promotion.md`: every step, every fault, and how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::faulted::{Beginning, Came, Kind, Story};
use crate::run::HANGS;
use crate::steps::ORDER;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/promotion.md");
/// Set, the table is written and not compared.
const UPDATE: &str = "UPDATE_DOCS";
const BEGINS: &str = "<!-- Made by devenv/promotion/tests/promotion: begins -->\n";
const ENDS: &str = "<!-- ends -->\n";

/// How it may end, by step and kind of fault.
type Cells = BTreeMap<(&'static str, Kind), BTreeSet<String>>;

#[test]
fn every_fault_at_every_step_ends_as_the_documentation_has_it() {
    let mut table = String::new();
    let mut broken = Vec::new();
    for (story, title) in [
        (Story::Promotion, "A promotion"),
        (Story::Failure, "A promotion whose release fails, from then on"),
        (Story::Rollback, "A rollback that somebody asks for"),
    ] {
        let cells = cells(story, &mut broken);
        write!(table, "\n{title}:\n\n{}", drawn(&cells)).expect("in memory");
    }
    assert!(broken.is_empty(), "{} promises are broken:\n{}", broken.len(), broken.join("\n"));
    let document = std::fs::read_to_string(DOCUMENT).expect("readable");
    let (before, rest) = document.split_once(BEGINS).expect("the beginning is marked");
    let (written, after) = rest.split_once(ENDS).expect("the end is marked");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(DOCUMENT, format!("{before}{BEGINS}{table}\n{ENDS}{after}")).expect("writable");
    } else {
        assert_eq!(written, format!("{table}\n"), "{UPDATE}=1 cargo test --test promotion writes the table anew");
    }
}

fn cells(story: Story, broken: &mut Vec<String>) -> Cells {
    let beginning = Beginning::of(story);
    let runs: Vec<_> = beginning
        .calls
        .iter()
        .flat_map(|call| Kind::ALL.map(|kind| (call, kind)))
        .filter(|(call, kind)| kind.may_come_at(call))
        .flat_map(|(call, kind)| kind.faults(call).into_iter().map(move |name| (call, kind, name)))
        .collect();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let part = runs.len().div_ceil(threads);
    let came = std::thread::scope(|scope| {
        let workers: Vec<_> = runs
            .chunks(part)
            .map(|part| {
                let beginning = &beginning;
                scope.spawn(move || part.iter().map(|(call, _, name)| beginning.run(call, *name)).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it ended")).collect::<Vec<_>>()
    });
    let mut cells = Cells::new();
    for ((call, kind, name), came) in runs.iter().zip(came) {
        let (told, wrong) = judged(&beginning, *kind, &came);
        if let Some(wrong) = wrong {
            let detail = came.detail.join("\n      ");
            broken.push(format!("  {story:?}, {}: {} {name:?}: {told}: {wrong}\n      {detail}", call.step, call.text));
        }
        cells.entry((call.step, *kind)).or_default().insert(told);
    }
    cells
}

/// In a few words, and what is wrong with it.
fn judged(beginning: &Beginning, kind: Kind, came: &Came) -> (String, Option<String>) {
    let (before, after) = beginning.before_and_after();
    let standing = &came.standing;
    let live = match standing.running[..] {
        [edition] if edition == before => "before",
        [edition] if edition == after => "after",
        [3] => "theirs",
        _ => "uncertain",
    };
    let told = match (came.code, came.next) {
        (Some(code), None) => format!("{code}: {live}"),
        (Some(code), Some(next)) => format!("{code}, then {next}: {live}"),
        (None, Some(next)) => format!("then {next}: {live}"),
        (None, None) => unreachable!("whoever is killed tries again"),
    };
    let edition = standing.running.first().copied();
    let wrong = if came.code == Some(HANGS) || came.next == Some(HANGS) {
        Some("it never ends".to_owned())
    } else if live == "uncertain" {
        Some(format!("the tasks are of {:?}", standing.running))
    } else if standing.recorded != edition {
        Some(format!("edition {edition:?} runs, and the records have {:?}", standing.recorded))
    } else if standing.planned_is_empty != (edition == Some(2)) {
        Some("the state of Terraform is not what runs".to_owned())
    } else if came.next.is_some_and(|next| next == 9 || next == 8) {
        Some("the next one does not get through".to_owned())
    } else if kind != Kind::Asleep
        && (came.code == Some(0) && live != "after" || came.code == Some(7) && live != "before")
    {
        Some("its exit code is of something else".to_owned())
    } else {
        None
    };
    (told, wrong)
}

fn drawn(cells: &Cells) -> String {
    let mut text = String::from(
        "| step | answer lost | conflict | throttled for 10 s | killed | clock 15 min ahead | clock 15 min behind | asleep, another promotes |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for step in ORDER {
        let row = Kind::ALL.map(|kind| cells.get(&(step, kind)));
        if row.iter().all(Option::is_none) {
            continue;
        }
        let row =
            row.map(|cell| cell.map_or_else(String::new, |cell| cell.iter().cloned().collect::<Vec<_>>().join("; ")));
        writeln!(text, "| {step} | {} |", row.join(" | ")).expect("in memory");
    }
    text
}
