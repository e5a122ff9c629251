use std::collections::BTreeMap;

/// The metrics of a service at one moment.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub series: Vec<Series>,
    /// Types by name, such as `counter`.
    pub types: BTreeMap<String, String>,
}

/// One series: its name, labels and value.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Metrics {
    /// Reads the Prometheus text format.
    ///
    /// # Panics
    /// At a line in another format.
    pub fn parse(text: &str) -> Self {
        let mut metrics = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                metrics.types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let series = series(line);
                metrics
                    .series
                    .push(series.unwrap_or_else(|| panic!("expected the Prometheus text format, got {line:?}")));
            }
        }
        metrics
    }

    /// The value of a series; 0 if the service has not counted it yet.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: BTreeMap<String, String> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.named(name).find(|series| series.labels == labels).map_or(0.0, |series| series.value)
    }

    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| series.name == name)
    }
}

fn series(line: &str) -> Option<Series> {
    let (key, value) = line.rsplit_once(' ')?;
    let (name, labels) = match key.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (key, ""),
    };
    let mut read = BTreeMap::new();
    let mut rest = labels;
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"")?;
        // No label of these services holds a quote or a backslash.
        let (value, after) = after.split_once('"')?;
        read.insert(label.to_owned(), value.to_owned());
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some(Series { name: name.to_owned(), labels: read, value: value.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_found_by_all_their_labels() {
        let metrics = Metrics::parse("# TYPE a_total counter\na_total{x=\"1\",y=\"/o/{id}\"} 3\nb 0.5\n");
        assert!((metrics.value("a_total", &[("y", "/o/{id}"), ("x", "1")]) - 3.0).abs() < f64::EPSILON);
        assert!(metrics.value("a_total", &[("x", "1")]).abs() < f64::EPSILON);
        assert!((metrics.value("b", &[]) - 0.5).abs() < f64::EPSILON);
        assert_eq!(metrics.types["a_total"], "counter");
    }

    #[test]
    #[should_panic(expected = "Prometheus text format")]
    fn other_text_is_refused() {
        Metrics::parse("Not Found");
    }
}
