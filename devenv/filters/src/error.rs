use std::fmt;

/// The reason a filter policy is refused, and its place. The reason has the words of SNS where SNS has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at {at}")]
pub struct FilterError {
    pub reason: String,
    pub at: Path,
}

/// A place in a policy, outermost step first. Displayed as a JSON path: `$.store[0]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> FilterError {
        FilterError { reason: reason.into(), at: self.clone() }
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        output.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Key(key) if is_plain(key) => write!(output, ".{key}")?,
                Step::Key(key) => write!(output, "[{key:?}]")?,
                Step::Index(index) => write!(output, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || "_-$".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_json_path() {
        let place = Path::default().key("$or").index(1).key("price.usd").index(0).key("anything-but");
        assert_eq!(place.to_string(), r#"$.$or[1]["price.usd"][0].anything-but"#);
        assert_eq!(Path::default().error("no").to_string(), "no at $");
    }
}
