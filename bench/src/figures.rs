use serde_json::{Value, json};

/// Several samples of one quantity.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    /// In ascending order.
    samples: Vec<f64>,
    target: Option<Target>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    pub(crate) fn new(
        name: impl Into<String>,
        unit: &'static str,
        mut samples: Vec<f64>,
        target: Option<Target>,
    ) -> Self {
        samples.sort_by(f64::total_cmp);
        Self { name: name.into(), unit, samples, target }
    }

    pub(crate) fn median(&self) -> f64 {
        let middle = self.samples.len() / 2;
        match self.samples.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => self.samples[middle],
            _ => f64::midpoint(self.samples[middle - 1], self.samples[middle]),
        }
    }

    fn spread(&self) -> String {
        match (self.samples.first(), self.samples.last()) {
            (Some(least), Some(most)) if self.samples.len() > 1 => format!("{least:.1} .. {most:.1}"),
            _ => String::new(),
        }
    }

    pub(crate) fn line(&self) -> String {
        let target = match self.target {
            None => String::new(),
            Some(Target::AtMost(limit)) => format!("<= {limit:.0}  {}", verdict(self.median() <= limit)),
            Some(Target::AtLeast(limit)) => format!(">= {limit:.0}  {}", verdict(self.median() >= limit)),
        };
        let (median, spread) = (self.median(), self.spread());
        format!("{:<44} {median:>10.1} {:<5} {spread:<20} {target}", self.name, self.unit).trim_end().to_owned()
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "name": self.name, "unit": self.unit, "median": self.median(), "samples": self.samples })
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let median = |samples: &[f64]| Figure::new("a", "ms", samples.to_vec(), None).median();
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
    }
}
