//! The values that an attribute may have. AWS writes all of them as strings.

use std::ops::RangeInclusive;

/// The rule for the value of one attribute.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    /// A whole number in a range.
    Number(RangeInclusive<u64>),
    OneOf(&'static [&'static str]),
    /// Any text of at most this many characters.
    Text(usize),
    /// JSON, whose content is checked elsewhere.
    Json,
    /// AWS gives it, or Terraform owns it: the reason why no file has it.
    LeftOut(&'static str),
}

/// Attributes with their rules.
pub(crate) type Rules = &'static [(&'static str, Rule)];

pub(crate) const BOOLEAN: Rule = Rule::OneOf(&["true", "false"]);
pub(crate) const POLICY: Rule = Rule::LeftOut("Terraform writes the policy, with the ARNs of the account");

impl Rule {
    /// Why a value breaks the rule, and how to fix it.
    pub(crate) fn broken_by(&self, name: &str, value: &str) -> Option<(String, String)> {
        match self {
            Self::Number(range) => {
                let fits = value.parse::<u64>().is_ok_and(|number| range.contains(&number) && !value.starts_with('+'));
                let help = format!("write a whole number from {} to {}", range.start(), range.end());
                (!fits).then(|| (format!("{name} cannot be {value}"), help))
            }
            Self::OneOf(values) => {
                let help = || format!("write one of {}", values.join(", "));
                (!values.contains(&value)).then(|| (format!("{name} cannot be {value}"), help()))
            }
            Self::Text(limit) => {
                let help = format!("write at most {limit} characters");
                (value.chars().count() > *limit).then(|| (format!("{name} is too long"), help))
            }
            Self::Json => None,
            Self::LeftOut(why) => Some((format!("{name} is not for a file"), format!("remove it: {why}"))),
        }
    }
}
