//! No input crashes the reader or keeps it busy for long.

use std::time::{Duration, Instant};

use devenv_document::problem::{Mistakes, Problem};
use proptest::prelude::*;

use crate::sources::Sources;

/// The size limit of a file, in bytes.
const SIZE: usize = 1024 * 1024;

/// Far above the time of any of these inputs; a quadratic reader would need minutes. Not a benchmark.
const PATIENCE: Duration = Duration::from_secs(20);

fn refusal(sources: &Sources) -> Mistakes {
    let begun = Instant::now();
    let error = sources.assemble().expect_err("it is refused");
    let _: Vec<_> = error.problems.iter().map(Problem::report).collect();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    error
}

fn of_compose(text: String) -> Mistakes {
    let mut sources = Sources::good();
    sources.compose = text;
    refusal(&sources)
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "x-a: &a [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f")] {
        text =
            text + "x-" + name + ": &" + name + " [" + &["*", of].concat().repeat(10).replace('*', ",*")[1..] + "]\n";
    }
    let error = of_compose(text + &Sources::good().compose);
    assert_eq!(error.problems[0].code, "manifest.too_large", "{error}");
}

/// Each anchor alone is within the depth limit; together they exceed it.
#[test]
fn a_tower_of_aliases_is_refused() {
    let mut text = "x-0: &a0 1\n".to_owned();
    for level in 1..40 {
        let (own, below) = (level.to_string(), (level - 1).to_string());
        text += &["x-", &own, ": &a", &own, " [[[*a", &below, "]]]\n"].concat();
    }
    let error = of_compose(text + &Sources::good().compose);
    assert_eq!(error.problems[0].code, "manifest.too_large", "{error}");
}

#[test]
fn a_value_within_itself_is_refused() {
    let error = of_compose("x-a: &a [*a]\n".to_owned() + &Sources::good().compose);
    assert_eq!(error.problems[0].code, "manifest.syntax", "{error}");
}

#[test]
fn large_files_are_refused() {
    let mut sources = Sources::good();
    sources.settings = "#".repeat(SIZE + 1);
    assert_eq!(refusal(&sources).problems[0].code, "manifest.too_large");
    let mut sources = Sources::good();
    sources.tables[0].1 = " ".repeat(SIZE + 1);
    sources.seeds[0].1 = " ".repeat(SIZE + 1);
    assert_eq!(refusal(&sources).problems[0].code, "manifest.too_large");
}

#[test]
fn deep_files_are_refused() {
    for piece in ["[", "{", "{a: ", "- ", "? ", "a: [", "&a ", "!a ", "\"", "*", "'", "[a, ", "{a, "] {
        of_compose(piece.repeat(100_000 / piece.len()));
    }
    for piece in ["[", "{\"a\":", "[["] {
        let mut sources = Sources::good();
        sources.tables[0].1 = piece.repeat(SIZE / piece.len());
        assert_eq!(refusal(&sources).problems[0].code, "table.syntax");
    }
}

#[test]
fn a_file_of_mistakes_shows_the_first_ones() {
    let mut sources = Sources::good();
    for number in 0..4_000 {
        sources.compose += &["    wrong", &number.to_string(), ": 1\n"].concat();
    }
    let error = refusal(&sources);
    assert_eq!(error.problems.len(), 100);
    let mut sources = Sources::good();
    for number in 0..4_000 {
        sources.settings += &["wrong", &number.to_string(), " = 1\n"].concat();
    }
    assert_eq!(refusal(&sources).problems.len(), 100);
    let mut sources = Sources::good();
    sources.seeds[0].1 = format!("[{}]", vec!["{\"id\":5}"; 20_000].join(","));
    assert_eq!(refusal(&sources).problems.len(), 100);
}

proptest! {
    #[test]
    fn no_input_panics(settings in "\\PC{0,200}", compose in "\\PC{0,200}", table in "\\PC{0,200}") {
        let mut sources = Sources::good();
        sources.compose = compose;
        sources.tables[0].1 = table;
        check(&sources);
        sources.settings = settings;
        check(&sources);
    }

    /// A nearly valid file reaches deeper into the reader than noise.
    #[test]
    fn no_small_change_panics(
        file in 0_usize..4,
        at in 0_usize..300,
        remove in 0_usize..3,
        with in "[a-z0-9:,\\[\\]{}\"'&*|>$ \r\n\t#é\u{feff}\u{2028}😀-]{0,3}",
    ) {
        let mut sources = Sources::good();
        let text = match file {
            0 => &mut sources.settings,
            1 => &mut sources.compose,
            2 => &mut sources.tables[0].1,
            _ => &mut sources.seeds[0].1,
        };
        let at = at.min(text.len());
        let end = (at + remove).min(text.len());
        text.replace_range(at..end, &with);
        check(&sources);
    }

    /// An accepted manifest has no cycle and no unknown dependency.
    #[test]
    fn an_accepted_manifest_keeps_its_promises(edges in prop::collection::vec((0_usize..5, 0_usize..5), 0..8)) {
        let names = ["a", "b", "c", "d", "e"];
        let mut sources = Sources::good();
        sources.settings = sources.settings.lines().take(5).collect::<Vec<_>>().join("\n");
        sources.compose = "services:\n".to_owned();
        for (from, name) in names.iter().enumerate() {
            let mut to: Vec<&str> = edges.iter().filter(|edge| edge.0 == from).map(|edge| names[edge.1]).collect();
            to.dedup();
            sources.compose += &["  ", name, ": { image: i, depends_on: [", &to.join(", "), "] }\n"].concat();
        }
        let reaches = |from: usize, to: usize| {
            let (mut seen, mut open) = (Vec::new(), vec![from]);
            while let Some(at) = open.pop() {
                for edge in edges.iter().filter(|edge| edge.0 == at && !seen.contains(&edge.1)).collect::<Vec<_>>() {
                    seen.push(edge.1);
                    open.push(edge.1);
                }
            }
            seen.contains(&to)
        };
        let has_cycle = (0..names.len()).any(|at| reaches(at, at));
        match sources.assemble() {
            Ok(manifest) => {
                prop_assert!(!has_cycle);
                let known = |name: &String| manifest.services.contains_key(name);
                prop_assert!(manifest.services.values().all(|service| service.depends_on.keys().all(known)));
            }
            Err(error) => {
                prop_assert!(has_cycle, "{}", error);
                prop_assert!(error.problems.iter().all(|problem| problem.code == "compose.cycle"), "{}", error);
            }
        }
    }
}

fn check(sources: &Sources) {
    if let Err(error) = sources.assemble() {
        assert!(error.problems.iter().all(|problem| problem.report().line > 0));
        assert!(!error.to_string().is_empty());
    }
}
