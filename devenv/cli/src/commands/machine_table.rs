//! The table of `devenv ls`.

use std::time::Duration;

use comfy_table::{Table, presets};
use devenv_machine::{Presence, Row, State};
use devenv_supervisor::clock;
use devenv_terminal::render::Style;

pub(super) fn machine_table(rows: &[&Row], style: Style) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NAME", "RUNTIME", "STATE", "AGE", "MEMORY", "FOLDER"]);
    let now = clock::now();
    for row in rows {
        let age = row.since.map(|since| age(Duration::from_millis(now.saturating_sub(since))));
        let cells =
            [Some(row.name.clone()), row.runtime.map(str::to_owned), Some(state(row)), age, row.memory.map(size)];
        let cells = cells.into_iter().map(or_dash).chain([folder(row)]);
        table.add_row(cells.collect::<Vec<_>>());
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    // Colours are put in afterwards: the table would count their bytes as width.
    let coloured =
        lines.into_iter().enumerate().map(|(number, line)| if number == 0 { style.dim(&line) } else { line });
    coloured.collect::<Vec<_>>().join("\n")
}

fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "-".to_owned())
}

fn state(row: &Row) -> String {
    match (row.state, row.ready, row.units, row.pid) {
        (State::Running, Some(ready), Some(units), _) if ready < units => format!("running ({ready} of {units})"),
        (State::Running, ..) => "running".to_owned(),
        (State::Silent, _, _, Some(pid)) => format!("not answering (process {pid})"),
        (State::Silent, ..) => "not answering".to_owned(),
        (State::Left, _, units, _) => format!("killed ({} processes left)", units.unwrap_or_default()),
        (State::Changing, _, _, Some(pid)) => format!("changing (process {pid})"),
        (State::Changing, ..) => "changing".to_owned(),
        (State::Stopped, ..) => "stopped".to_owned(),
    }
}

fn folder(row: &Row) -> String {
    let folder = row.root.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    match row.folder {
        Presence::Gone => format!("{folder} (gone)"),
        Presence::There | Presence::Unknown => folder,
    }
}

/// The two largest units, such as `2 h 5 min`.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    if bytes < GIB {
        return format!("{} MiB", bytes.div_ceil(MIB));
    }
    let tenths = bytes / (GIB / 10);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(state: State, ready: usize, units: usize) -> Row {
        Row {
            name: "shop-1a2b3c".to_owned(),
            root: Some("/shop".into()),
            state_dir: Some("/shop/.devenv".into()),
            folder: Presence::There,
            runtime: Some("process"),
            state,
            ready: Some(ready),
            units: Some(units),
            memory: Some(3 << 20),
            since: None,
            pid: Some(7),
        }
    }

    #[test]
    fn a_row_names_what_is_wrong() {
        let gone = Row { folder: Presence::Gone, ..row(State::Left, 0, 2) };
        let rows = [row(State::Running, 3, 3), row(State::Running, 2, 3), row(State::Silent, 0, 0), gone];
        let table = machine_table(&rows.each_ref(), Style { colour: false });
        let lines: Vec<&str> = table.lines().map(str::trim).collect();
        assert!(lines[0].starts_with("NAME") && lines[0].ends_with("FOLDER"), "{table}");
        for (line, parts) in lines[1..].iter().zip([
            &["shop-1a2b3c", " running ", " 3 MiB "][..],
            &["running (2 of 3)"],
            &["not answering (process 7)"],
            &["killed (2 processes left)", "/shop (gone)"],
        ]) {
            assert!(parts.iter().all(|part| line.contains(part)), "{line}");
        }
    }

    #[test]
    fn ages_and_sizes_are_short() {
        let texts = [5, 65, 3_700, 90_000].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(texts, ["5 s", "1 min", "1 h 1 min", "1 d 1 h"]);
        assert_eq!([1, 5 << 20, 3 << 29].map(size), ["1 MiB", "5 MiB", "1.5 GiB"]);
    }
}
