use serde_json::{Value, json};

use super::chance::Chance;

const FIELDS: [&str; 4] = ["product_id", "quantity", "customer_id", "order_id"];

/// Returns a valid order.
pub(super) fn fit(chance: &mut Chance) -> Value {
    let product = chance.of_these(&[crate::IN_STOCK, crate::OTHER_IN_STOCK, "NO-SUCH"]);
    json!({ "product_id": product, "quantity": 1 + chance.below(3), "customer_id": "CUST001" })
}

/// Returns a body that is usually not a valid order.
pub(super) fn unfit(chance: &mut Chance) -> Vec<u8> {
    match chance.below(6) {
        0 => unfit_field(chance).to_string().into_bytes(),
        1 => broken_json(chance),
        2 => nested(chance),
        3 => large(chance),
        4 => mutated(chance),
        _ => chance.bytes(300),
    }
}

/// Returns an order with another type in one field, or another type altogether.
fn unfit_field(chance: &mut Chance) -> Value {
    let value = value(chance);
    if chance.once_in(8) {
        return value;
    }
    let mut order = fit(chance);
    order[chance.of_these(&FIELDS)] = value;
    if chance.once_in(4)
        && let Some(fields) = order.as_object_mut()
    {
        fields.remove(chance.of_these(&FIELDS));
    }
    order
}

fn value(chance: &mut Chance) -> Value {
    match chance.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!([]),
        3 => json!({ "a": { "b": [1, 2, 3] } }),
        4 => json!(""),
        5 => json!("x".repeat(chance.below(600))),
        6 => json!("\u{0}\u{7f}\u{fffd}\u{10ffff}"),
        7 => json!(i64::MIN),
        8 => json!(u64::MAX),
        9 => json!(1e308),
        10 => json!(-0.0),
        11 => json!(1.5),
        12 => json!("9".repeat(chance.below(300))),
        _ => json!(chance.next()),
    }
}

/// Returns text that is nearly JSON.
fn broken_json(chance: &mut Chance) -> Vec<u8> {
    const TEXTS: [&[u8]; 20] = [
        b"{",
        b"}",
        b"{\"product_id\": ",
        b"{\"product_id\": \"PROD001\", \"quantity\": 1, \"customer_id\": \"C\",}",
        b"{'product_id': 'PROD001', 'quantity': 1, 'customer_id': 'C'}",
        b"{\"product_id\": \"PROD001\", \"quantity\": NaN, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"PROD001\", \"quantity\": 1e999999, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"PROD001\", \"quantity\": 0x10, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"PROD001\", \"quantity\": 01, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"\\ud800\", \"quantity\": 1, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"\\u0000\", \"quantity\": 1, \"customer_id\": \"\\u0000\"}",
        b"{\"product_id\": \"\xff\xfe\", \"quantity\": 1, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"\xc0\x80\", \"quantity\": 1, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"P\", \"product_id\": 7, \"quantity\": 1, \"customer_id\": \"C\"}",
        b"\xef\xbb\xbf{\"product_id\": \"P\", \"quantity\": 1, \"customer_id\": \"C\"}",
        b"{\"product_id\": \"P\n\", \"quantity\": 1, \"customer_id\": \"C\"}",
        b"{} {}",
        b"// no\n{}",
        b"product_id=PROD001&quantity=1",
        b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
    ];
    chance.of_these(&TEXTS).to_vec()
}

/// Returns brackets far deeper than any reader's stack.
fn nested(chance: &mut Chance) -> Vec<u8> {
    let depth = chance.of_these(&[100, 127, 128, 129, 5_000, 30_000]);
    let open = chance.of_these(&["[", "{\"a\":", "[{\"product_id\":"]);
    open.repeat(depth).into_bytes()
}

/// Returns a body around the limit of 64 KiB, or beyond the discarded part.
fn large(chance: &mut Chance) -> Vec<u8> {
    let length = chance.of_these(&[65_000, 65_535, 65_536, 65_537, 200_000, 1_200_000]);
    let mut order = fit(chance);
    order["note"] = json!("x".repeat(length));
    order.to_string().into_bytes()
}

/// Returns a valid order with some bytes changed, removed or repeated.
fn mutated(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = fit(chance).to_string().into_bytes();
    mutate(chance, &mut bytes);
    bytes
}

pub(super) fn mutate(chance: &mut Chance, bytes: &mut Vec<u8>) {
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        if bytes.is_empty() {
            return;
        }
        match chance.below(4) {
            0 => bytes[at] = chance.next().to_le_bytes()[0],
            1 => {
                bytes.remove(at);
            }
            2 => bytes.truncate(at),
            _ => {
                let again = bytes[at..].to_vec();
                bytes.extend(again);
            }
        }
    }
}
