//! No input crashes the reader or keeps it busy for long, and every mistake has a place.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_compose::files::Memory;
use devenv_compose::load::{Error, FileChoice, Project, Request, load};
use devenv_compose::print;
use proptest::prelude::*;

/// Far above the time of any of these inputs; a quadratic reader would need minutes. Not a benchmark.
const PATIENCE: Duration = Duration::from_secs(20);

fn read(files: &[(&str, &str)]) -> Result<Project, Error> {
    let memory = files.iter().map(|(path, text)| (Utf8PathBuf::from("/p").join(path), text.as_bytes().to_vec()));
    let variables = BTreeMap::from([("SET".to_owned(), "value".to_owned())]);
    let folder = Utf8Path::new("/p");
    let (files, profiles, env_files) = (FileChoice::Found, Vec::new(), Vec::new());
    let request = Request { folder, root: folder, files, profiles, env_files, variables: &variables };
    let begun = Instant::now();
    let read = load(&request, &Memory(memory.collect()));
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    if let Err(Error::Mistakes(mistakes)) = &read {
        assert!(!mistakes.problems.is_empty());
        for problem in &mistakes.problems {
            assert!(problem.file.text.get(problem.span.clone()).is_some(), "{problem:?}");
        }
    }
    read
}

fn codes(files: &[(&str, &str)]) -> Vec<&'static str> {
    match read(files) {
        Err(Error::Mistakes(mistakes)) => mistakes.problems.iter().map(|problem| problem.code).collect(),
        Err(error) => panic!("{error}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn a_large_service_extended_often_is_refused() {
    let mut text = "services:\n  base:\n    image: a\n    environment:\n".to_owned();
    for number in 0..20_000 {
        let _ = writeln!(text, "      V{number}: x");
    }
    for number in 0..1_500 {
        let _ = writeln!(text, "  s{number}: {{ extends: base }}");
    }
    assert!(codes(&[("compose.yaml", &text)]).contains(&"compose.too_large"));
}

#[test]
fn a_file_included_often_is_refused() {
    let mut include = "include:\n".to_owned();
    for number in 0..5_000 {
        let _ = writeln!(include, "  - {{ path: a.yaml, project_directory: d{number} }}");
    }
    let mut included = "services:\n".to_owned();
    for number in 0..1_000 {
        let _ = writeln!(included, "  s{number}: {{ image: a }}");
    }
    assert!(codes(&[("compose.yaml", &include), ("a.yaml", &included)]).contains(&"compose.too_large"));
}

#[test]
fn long_chains_are_refused() {
    let mut text = "services:\n".to_owned();
    for number in 0..1_000 {
        let _ = writeln!(text, "  s{number}: {{ image: a, extends: s{} }}", number + 1);
    }
    assert!(codes(&[("compose.yaml", &text)]).contains(&"compose.cycle"));
}

#[test]
fn variables_and_their_files_cannot_grow_without_end() {
    let long = ["A=", &"x".repeat(500_000)].concat();
    let many = ["services: { web: { image: \"", &"$A".repeat(100_000), "\" } }"].concat();
    assert_eq!(codes(&[("compose.yaml", &many), (".env", &long)]), ["compose.variable"]);
    let mut text = "services:\n".to_owned();
    for number in 0..1_000 {
        let _ = writeln!(text, "  s{number}: {{ image: a, env_file: e.env }}");
    }
    assert!(codes(&[("compose.yaml", &text), ("e.env", &long)]).contains(&"compose.too_large"));
}

#[test]
fn wide_ranges_of_ports_are_refused() {
    let range = "\"1-65535\",".repeat(1_000);
    let text = ["services: { web: { image: a, ports: [", &range, "] } }"].concat();
    assert!(codes(&[("compose.yaml", &text)]).contains(&"compose.too_large"));
}

#[test]
fn a_file_of_mistakes_shows_the_first_ones() {
    let mut text = "services:\n  web:\n".to_owned();
    for number in 0..20_000 {
        let _ = writeln!(text, "    wrong_key_{number}: 1");
    }
    assert_eq!(codes(&[("compose.yaml", &text)]).len(), 100);
    let mut text = "services:\n".to_owned();
    for number in 0..2_000 {
        let _ = writeln!(text, "  s{number}: {{ image: a, networks: [absent], depends_on: [missing] }}");
    }
    assert!(codes(&[("compose.yaml", &text)]).len() <= 100);
}

#[test]
fn a_large_file_is_not_read() {
    assert!(matches!(read(&[("compose.yaml", &"#".repeat(1024 * 1024 + 1))]), Err(Error::Unread { .. })));
    let files = [("compose.yaml", "include: [a.yaml]"), ("a.yaml", &"#".repeat(1024 * 1024 + 1))];
    assert_eq!(codes(&files), ["compose.file"]);
}

#[test]
fn a_large_project_is_read() {
    let mut text = "x-env: &env\n".to_owned();
    for number in 0..40 {
        let _ = writeln!(text, "  V{number}: ${{SET:-x}}");
    }
    text += "services:\n";
    for number in 0..300 {
        let _ = writeln!(text, "  s{number}: {{ image: a, environment: *env, depends_on: [s{}] }}", number + 1);
    }
    text += "  s300: { image: a }\n";
    let project = read(&[("compose.yaml", &text)]).expect("large, but sound");
    assert_eq!(project.model.get("services").and_then(|services| services.entries()).map(<[_]>::len), Some(301));
}

#[test]
fn a_file_that_includes_or_extends_itself_is_refused() {
    assert_eq!(codes(&[("compose.yaml", "include: [compose.yaml]\nservices: { a: { image: a } }")]), ["compose.cycle"]);
    assert_eq!(codes(&[("compose.yaml", "services: { a: { extends: a } }")]), ["compose.cycle"]);
}

/// A project that uses most features, for small changes.
const FILES: [(&str, &str); 5] = [
    (
        "compose.yaml",
        "name: p\ninclude: [in/c.yaml]\nx-a: &a { A: \"${SET:-b}\", B: !!str 5 }\nservices:\n  web:\n    <<: { init: true }\n    \
         extends: { file: e.yaml, service: base }\n    build: { context: ., args: [A] }\n    ports: [\"80-81:80-81\", { target: 5 }]\n    \
         environment: *a\n    env_file: v.env\n    volumes: [v:/v:ro, ./a:/b]\n    depends_on: { db: { condition: service_started } }\n    \
         deploy: { resources: { limits: { memory: 1g, cpus: 0.5 } } }\n    healthcheck: { test: x, interval: 1m30s }\n  db: { image: db }\n\
         volumes: { v: }\n",
    ),
    (
        "compose.override.yaml",
        "services:\n  web:\n    ports: !override [\"1:1\"]\n    command: !reset null\n    labels: [a=b]\n",
    ),
    ("e.yaml", "services:\n  base: { image: \"a:${T-1}\", command: a 'b c', ulimits: { nofile: 5 } }\n"),
    (
        "in/c.yaml",
        "services: { c: { image: c, networks: [n], profiles: [p] } }\nnetworks: { n: { ipam: { config: [{ subnet: 10.0.0.0/8 }] } } }\n",
    ),
    ("v.env", "A='x'\nB=\"y ${SET} \\n\"\nexport C=${A:-d} # e\n"),
];

/// Each kind of value over each other kind, and over none.
#[test]
fn values_of_every_kind_join() {
    let values = [
        "",
        "x",
        "5",
        "true",
        "[]",
        "[x]",
        "{}",
        "{ x: }",
        "{ x: y }",
        "{ x: {} }",
        "{ x: [y] }",
        "!reset x",
        "!override {}",
    ];
    let sections = ["networks", "volumes", "secrets", "configs", "services", "x-own", "name"];
    let keys = "build command depends_on networks logging environment ports volumes healthcheck deploy ulimits gpus env_file secrets \
                extra_hosts devices develop image init blkio_config label_file storage_opt post_start";
    for (base, over) in values.iter().flat_map(|base| values.iter().map(move |over| (base, over))) {
        for section in sections {
            let whole = |value: &str| format!("{section}: {value}\n");
            let _ = read(&[("compose.yaml", &whole(base)), ("compose.override.yaml", &whole(over))]);
            let within = |value: &str| format!("{section}: {{ n: {value} }}\n");
            let _ = read(&[("compose.yaml", &within(base)), ("compose.override.yaml", &within(over))]);
        }
        for key in keys.split_whitespace() {
            let file = |value: &str| format!("services:\n  s:\n    image: s\n    {key}: {value}\n");
            let _ = read(&[("compose.yaml", &file(base)), ("compose.override.yaml", &file(over))]);
        }
    }
}

#[test]
fn the_project_for_small_changes_is_sound() {
    read(&FILES).expect("no mistake");
}

/// A printed model is a Compose file with the same meaning.
#[test]
fn a_printed_model_is_read_as_the_same_model() {
    let printed = read(&FILES).expect("no mistake");
    let again = read(&[("compose.yaml", &print::yaml(&printed))]).expect("a printed model can be read");
    assert_eq!(print::json(&again), print::json(&printed));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// A nearly valid file reaches deeper into the reader than noise.
    #[test]
    fn no_small_change_panics(
        file in 0_usize..5,
        at in 0_usize..900,
        remove in 0_usize..4,
        with in "[a-z0-9:,\\[\\]{}\"'&*|>$!<. \r\n\t#é\u{feff}\u{2028}😀-]{0,4}",
    ) {
        let mut files = FILES.map(|(path, text)| (path, text.to_owned()));
        let text = &mut files[file].1;
        let at = at % (text.len() + 1);
        let end = (at + remove).min(text.len());
        text.replace_range(at..end, &with);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        if let Ok(project) = read(&files) {
            let _ = (print::yaml(&project), print::json(&project));
        }
    }

    #[test]
    fn no_noise_panics(compose in "\\PC{0,200}", variables in "\\PC{0,200}") {
        let _ = read(&[("compose.yaml", &compose), (".env", &variables)]);
        let _ = read(&[("compose.yaml", "services: { a: { image: a, env_file: e } }"), ("e", &variables)]);
    }
}
