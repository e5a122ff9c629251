use serde_json::Value;

use super::error::{FilterError, Path};

/// The range of numbers in policies is -10^9 to 10^9.
const LARGEST: f64 = 1e9;
/// SNS compares five digits after the decimal point.
const SCALE: f64 = 1e5;

/// A number in hundred-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(i64);

impl Decimal {
    /// Returns nothing for a number outside of the range, which no policy can name.
    #[expect(clippy::cast_possible_truncation, reason = "the range ends far below that of the integer")]
    pub(super) fn of(number: f64) -> Option<Self> {
        (number.abs() <= LARGEST).then(|| Self((number * SCALE).round() as i64))
    }

    pub(super) fn read(value: &Value, at: &Path) -> Result<Option<Self>, FilterError> {
        let Some(number) = value.as_f64() else { return Ok(None) };
        let out_of_range = || at.error("Value must be between -1.0E9 and 1.0E9, inclusive");
        Self::of(number).map(Some).ok_or_else(out_of_range)
    }
}

/// An interval with optional ends; each end has the flag that it belongs to the interval.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Range {
    low: Option<(Decimal, bool)>,
    high: Option<(Decimal, bool)>,
}

impl Range {
    pub(super) fn contains(&self, number: Decimal) -> bool {
        self.low.is_none_or(|(end, closed)| number > end || closed && number == end)
            && self.high.is_none_or(|(end, closed)| number < end || closed && number == end)
    }

    /// Reads `["=", 1]`, `[">", 0]` or `[">=", 0, "<", 10]`: a lower end comes first.
    pub(super) fn read(value: &Value, at: &Path) -> Result<Self, FilterError> {
        let terms = value.as_array().ok_or_else(|| at.error("Value of numeric must be an array."))?;
        let mut range = Self::default();
        for (index, pair) in terms.chunks(2).enumerate() {
            let at_operator = at.index(2 * index);
            let operator = pair[0].as_str().ok_or_else(|| at_operator.error("Numeric operator must be a string"))?;
            let at_number = at.index(2 * index + 1);
            let number = pair.get(1).map(|value| Decimal::read(value, &at_number)).transpose()?.flatten();
            let number = number.ok_or_else(|| at_number.error(format!("Value of {operator} must be numeric")))?;
            range.narrow(operator, number).map_err(|reason| at_operator.error(reason))?;
        }
        match range {
            Self { low: None, high: None } => Err(at.error("Empty arrays are not allowed")),
            Self { low: Some((low, closed)), high: Some((high, also)) }
                if low > high || low == high && !(closed && also) =>
            {
                Err(at.error("Bottom must be less than top"))
            }
            _ => Ok(range),
        }
    }

    fn narrow(&mut self, operator: &str, number: Decimal) -> Result<(), String> {
        let ends = (self.low.is_none(), self.high.is_none());
        match (operator, ends) {
            ("=", (true, true)) => (self.low, self.high) = (Some((number, true)), Some((number, true))),
            (">", (true, true)) => self.low = Some((number, false)),
            (">=", (true, true)) => self.low = Some((number, true)),
            ("<", (_, true)) => self.high = Some((number, false)),
            ("<=", (_, true)) => self.high = Some((number, true)),
            ("=" | ">" | ">=" | "<" | "<=", _) => return Err("Too many elements in numeric expression".to_owned()),
            _ => return Err(format!("Unrecognized numeric range operator: {operator}")),
        }
        Ok(())
    }
}
