use serde_json::Value;

use crate::Failure;

/// Memory of each process of an environment: (name, resident MiB, proportional MiB).
pub(crate) fn resident(status: &Value) -> Result<Vec<(String, f64, f64)>, Failure> {
    let mut processes = vec![("supervisor".to_owned(), status["supervisor_pid"].as_u64())];
    for unit in status["units"].as_array().into_iter().flatten() {
        processes.push((unit["name"].as_str().unwrap_or_default().to_owned(), unit["pid"].as_u64()));
    }
    let mut resident = Vec::new();
    for (name, pid) in processes {
        let pid = pid.ok_or_else(|| format!("{name} does not run"))?;
        let facts = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let mebibytes = |field: &str| {
            let line = facts.lines().find(|line| line.starts_with(field)).unwrap_or_default();
            let kibibytes: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
            kibibytes / 1024.0
        };
        resident.push((name, mebibytes("Rss:"), mebibytes("Pss:")));
    }
    Ok(resident)
}
