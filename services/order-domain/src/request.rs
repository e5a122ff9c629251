use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Invalid;

/// The largest quantity of one order.
pub const MAX_QUANTITY: u64 = 1_000_000;

/// The longest identifier in characters: at four bytes each, it still fits a DynamoDB sort key (1024 bytes).
pub const MAX_TEXT: usize = 255;

/// A customer's validated order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    pub product_id: String,
    pub quantity: u64,
    pub customer_id: String,
}

impl OrderRequest {
    /// Reads the body of a request. Unknown fields are ignored, as the services' predecessors did.
    ///
    /// # Errors
    /// Every invalid field, in the order of the fields.
    pub fn from_json(body: &Value) -> Result<Self, Vec<Invalid>> {
        let fields = object(body)?;
        let mut invalid = Vec::new();
        let product_id = keep(text(fields, "product_id"), &mut invalid);
        let quantity = keep(quantity(fields), &mut invalid);
        let customer_id = keep(text(fields, "customer_id"), &mut invalid);
        match (product_id, quantity, customer_id) {
            (Some(product_id), Some(quantity), Some(customer_id)) => Ok(Self { product_id, quantity, customer_id }),
            _ => Err(invalid),
        }
    }
}

pub(crate) fn object(body: &Value) -> Result<&Map<String, Value>, Vec<Invalid>> {
    body.as_object().ok_or_else(|| {
        vec![Invalid::body(
            "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
        )]
    })
}

pub(crate) fn keep<T>(result: Result<T, Invalid>, invalid: &mut Vec<Invalid>) -> Option<T> {
    result.map_err(|reason| invalid.push(reason)).ok()
}

fn text(fields: &Map<String, Value>, name: &'static str) -> Result<String, Invalid> {
    let value = fields.get(name).ok_or_else(|| Invalid::new("body", name, "missing", "Field required"))?;
    let text =
        value.as_str().ok_or_else(|| Invalid::new("body", name, "string_type", "Input should be a valid string"))?;
    match text.chars().take(MAX_TEXT + 1).count() {
        0 => Err(Invalid::new("body", name, "string_too_short", "String should have at least 1 character")),
        length if length > MAX_TEXT => Err(Invalid::new(
            "body",
            name,
            "string_too_long",
            format!("String should have at most {MAX_TEXT} characters"),
        )),
        _ => Ok(text.to_owned()),
    }
}

fn quantity(fields: &Map<String, Value>) -> Result<u64, Invalid> {
    let reject = |kind, message: String| Invalid::new("body", "quantity", kind, message);
    let value = fields.get("quantity").ok_or_else(|| reject("missing", "Field required".to_owned()))?;
    let quantity = integer(value).map_err(|(kind, message)| reject(kind, message.to_owned()))?;
    if quantity < 1 {
        return Err(reject("greater_than_equal", "Input should be greater than or equal to 1".to_owned()));
    }
    u64::try_from(quantity)
        .ok()
        .filter(|quantity| *quantity <= MAX_QUANTITY)
        .ok_or_else(|| reject("less_than_equal", format!("Input should be less than or equal to {MAX_QUANTITY}")))
}

/// Accepts the predecessors' inputs for an integer: a number without a fraction, or its text.
fn integer(value: &Value) -> Result<i128, (&'static str, &'static str)> {
    match value {
        Value::Number(number) => {
            if let Some(integer) = number.as_i128() {
                return Ok(integer);
            }
            let float = number.as_f64().unwrap_or(f64::NAN);
            if float.fract() != 0.0 {
                return Err(("int_from_float", "Input should be a valid integer, got a number with a fractional part"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and any bound is out of range")]
            let integer = float as i128;
            Ok(integer)
        }
        Value::String(text) => {
            let text = text.trim();
            let whole = text
                .split_once('.')
                .map_or(text, |(whole, fraction)| if fraction.bytes().all(|digit| digit == b'0') { whole } else { "" });
            whole
                .parse()
                .map_err(|_| ("int_parsing", "Input should be a valid integer, unable to parse string as an integer"))
        }
        _ => Err(("int_type", "Input should be a valid integer")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let bodies = [
            json!({}),
            json!([]),
            json!(null),
            json!({"product_id": "", "quantity": 0, "customer_id": ""}),
            json!({"product_id": 7, "quantity": "two", "customer_id": null}),
            json!({"product_id": "P", "quantity": 1.5, "customer_id": "C"}),
            json!({"product_id": "P", "quantity": true, "customer_id": "C"}),
            json!({"product_id": "P", "quantity": -1, "customer_id": "C"}),
            json!({"product_id": "P", "quantity": 1_000_001, "customer_id": "C"}),
            json!({"product_id": "P", "quantity": 1e300, "customer_id": "C"}),
            json!({"product_id": "P".repeat(256), "quantity": 1, "customer_id": "C"}),
        ];
        let answers: Vec<_> = bodies.iter().map(|body| OrderRequest::from_json(body).expect_err("bad body")).collect();
        insta::assert_json_snapshot!(answers);
    }

    #[test]
    fn the_predecessors_leniency_is_kept() {
        for quantity in [json!(3), json!(3.0), json!("3"), json!(" 3 "), json!("3.0")] {
            let body = json!({"product_id": "P", "quantity": quantity, "customer_id": "C", "note": "ignored"});
            assert_eq!(OrderRequest::from_json(&body).expect("fits").quantity, 3, "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_quantity_in_range_is_taken_and_no_other(quantity in any::<i64>()) {
            let read = OrderRequest::from_json(&json!({"product_id": "P", "quantity": quantity, "customer_id": "C"}));
            let fits = u64::try_from(quantity).is_ok_and(|quantity| (1..=MAX_QUANTITY).contains(&quantity));
            prop_assert_eq!(read.is_ok(), fits);
        }

        #[test]
        fn any_json_is_read_or_refused_with_reasons(text in "\\PC{0,300}", number in any::<f64>()) {
            for value in [json!(text), json!(number), json!([text])] {
                let body = json!({"product_id": value, "quantity": value, "customer_id": value});
                if let Err(reasons) = OrderRequest::from_json(&body) {
                    prop_assert!(!reasons.is_empty());
                }
            }
        }
    }
}
