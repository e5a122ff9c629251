//! The parameters of a page in a query.

use order_domain::Invalid;

const DEFAULT_LIMIT: u16 = 20;
const MAX_LIMIT: u16 = 100;

/// Returns the value of a parameter. The last of several counts, as in the services' predecessors.
pub fn parameter<'query>(query: &'query [(String, String)], name: &str) -> Option<&'query str> {
    query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Reads the largest number of entries of a page: 1 to 100, 20 if absent.
///
/// # Errors
/// What is wrong with the value.
pub fn limit(query: &[(String, String)]) -> Result<u16, Invalid> {
    let Some(value) = parameter(query, "limit") else { return Ok(DEFAULT_LIMIT) };
    let invalid = |kind, message: &str| Invalid::new("query", "limit", kind, message);
    let limit: i64 = value
        .trim()
        .parse()
        .map_err(|_| invalid("int_parsing", "Input should be a valid integer, unable to parse string as an integer"))?;
    match u16::try_from(limit) {
        Ok(limit @ 1..=MAX_LIMIT) => Ok(limit),
        _ if limit < 1 => Err(invalid("greater_than_equal", "Input should be greater than or equal to 1")),
        _ => Err(invalid("less_than_equal", &format!("Input should be less than or equal to {MAX_LIMIT}"))),
    }
}
