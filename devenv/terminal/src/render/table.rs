use comfy_table::Table;
use comfy_table::presets;
use devenv_model::event::EnvironmentReport;
use devenv_model::intent::binding_of;
use devenv_model::messaging;
use devenv_model::unit::EMULATOR;

use super::Style;

/// The services with their states and addresses, without a frame.
pub fn environment_table(report: &EnvironmentReport, style: Style) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let containers = report.units.iter().any(|unit| unit.container.is_some());
    let last = if containers { "CONTAINER" } else { "PID" };
    table.set_header(["SERVICE", "STATE", "URL", "TOOK", "RESTARTS", last]);
    for unit in &report.units {
        let state = match &unit.detail {
            Some(detail) => format!("{} ({detail})", unit.state),
            None => unit.state.clone(),
        };
        let took = unit.took_ms.map_or_else(|| "-".to_owned(), |took| format!("{took} ms"));
        let pid = unit.pid.filter(|_| !containers).map(|pid| pid.to_string());
        let last = unit.container.clone().or(pid).unwrap_or_else(|| "-".to_owned());
        let url = unit.url.clone().unwrap_or_else(|| "-".to_owned());
        table.add_row([unit.name.clone(), state, url, took, unit.restarts.to_string(), last]);
        let second =
            binding_of(&unit.bindings, messaging::PORT).filter(|_| unit.name == EMULATOR && unit.bindings.len() > 1);
        if let Some(binding) = second {
            let address = format!("http://{}", binding.host);
            table.add_row(["  queues, topics".to_owned(), String::new(), address]);
        }
    }
    let text: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    // Colours are put in afterwards: the table would count their bytes as width.
    let coloured = text.into_iter().map(|line| match line.trim_start() {
        words if words.starts_with("SERVICE") => style.dim(&line),
        words if words.contains(" ready ") => line.replacen(" ready ", &format!(" {} ", style.green("ready")), 1),
        words if words.contains(" completed ") => {
            line.replacen(" completed ", &format!(" {} ", style.green("completed")), 1)
        }
        words if words.contains(" failed") => line.replacen(" failed", &format!(" {}", style.red("failed")), 1),
        _ => line,
    });
    let died = report.units.iter().filter(|unit| !unit.log.is_empty());
    let last_words = died.flat_map(|unit| {
        let line = |line: &String| format!("  {} {line}", style.dim("|"));
        std::iter::once(format!("the last lines of {}:", unit.name))
            .chain(unit.log.iter().map(line).collect::<Vec<_>>())
    });
    coloured.chain(last_words).collect::<Vec<_>>().join("\n")
}
