//! The decision: whether a write let the stock of a product fall below its threshold.

use crate::record::{Attribute, Change, Image};

/// The attribute of a product's own threshold.
const THRESHOLD: &str = "low_stock_threshold";

/// A stock that fell below its threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) product_id: String,
    pub(crate) stock: u64,
    pub(crate) threshold: u64,
}

/// What makes a record useless for the decision. A repetition would not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the record names no product_id")]
    Product,
    #[error("{attribute} of product {product_id:?} is not a whole number of pieces")]
    Number { product_id: String, attribute: &'static str },
}

/// Whether the stock was at or above the threshold before the write, and is below it now. The threshold is that of the item after the
/// write, or `default`. A product that is new or deleted crosses nothing.
pub(crate) fn crossing(change: &Change, default: u64) -> Result<Option<Crossing>, Unreadable> {
    let (Some(old), Some(new)) = (&change.old_image, &change.new_image) else { return Ok(None) };
    let product_id = change.keys.get("product_id").or(new.get("product_id")).and_then(|id| id.text.clone());
    let product_id = product_id.ok_or(Unreadable::Product)?;
    let count = |image: &Image, attribute: &'static str| -> Result<Option<u64>, Unreadable> {
        let unreadable = || Unreadable::Number { product_id: product_id.clone(), attribute };
        let count = |value: &Attribute| value.count().ok_or_else(unreadable);
        image.get(attribute).map(count).transpose()
    };
    let (Some(before), Some(stock)) = (count(old, "stock")?, count(new, "stock")?) else { return Ok(None) };
    let threshold = count(new, THRESHOLD)?.unwrap_or(default);
    let is_crossed = before >= threshold && stock < threshold;
    Ok(is_crossed.then_some(Crossing { product_id, stock, threshold }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "the images are written where they are passed")]
    fn change(old: Option<Value>, new: Option<Value>) -> Change {
        let change = json!({
            "SequenceNumber": "1", "Keys": { "product_id": { "S": "PROD001" } }, "OldImage": old, "NewImage": new,
        });
        serde_json::from_value(change).expect("a change")
    }

    fn item(stock: &str) -> Value {
        json!({ "product_id": { "S": "PROD001" }, "stock": { "N": stock } })
    }

    fn stock(stock: u64) -> Value {
        item(&stock.to_string())
    }

    fn decided(old: u64, new: u64, default: u64) -> Option<Crossing> {
        crossing(&change(Some(stock(old)), Some(stock(new))), default).expect("readable")
    }

    #[test]
    fn only_a_fall_below_the_threshold_crosses_it() {
        assert_eq!(decided(10, 9, 10), Some(Crossing { product_id: "PROD001".into(), stock: 9, threshold: 10 }));
        assert!(decided(100, 0, 10).is_some());
        for (old, new) in [(11, 10), (9, 8), (8, 12), (10, 10), (9, 9)] {
            assert_eq!(decided(old, new, 10), None, "{old} to {new}");
        }
        assert_eq!(decided(1, 0, 0), None, "nothing is below 0");
    }

    #[test]
    fn a_product_has_its_own_threshold() {
        let mut new = stock(4);
        new[THRESHOLD] = json!({ "N": "5" });
        assert_eq!(
            crossing(&change(Some(stock(5)), Some(new)), 100).expect("readable").map(|found| found.threshold),
            Some(5)
        );
    }

    #[test]
    fn new_deleted_and_stockless_products_cross_nothing() {
        let stockless = json!({ "product_id": { "S": "PROD001" } });
        let changes = [
            (None, Some(stock(1))),
            (Some(stock(100)), None),
            (None, None),
            (Some(stock(100)), Some(stockless.clone())),
            (Some(stockless), Some(stock(1))),
        ];
        for (old, new) in changes {
            assert_eq!(crossing(&change(old.clone(), new.clone()), 10), Ok(None), "{old:?} {new:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let mut messages = Vec::new();
        for bad in ["-1", "1.5", "1E+2", "many", "18446744073709551616"] {
            messages.push(crossing(&change(Some(stock(11)), Some(item(bad))), 10).expect_err("bad").to_string());
        }
        let text = json!({ "product_id": { "S": "PROD001" }, "stock": { "S": "9" } });
        messages.push(crossing(&change(Some(stock(11)), Some(text)), 10).expect_err("a text").to_string());
        let mut nameless = change(Some(json!({})), Some(json!({})));
        nameless.keys.clear();
        messages.push(crossing(&nameless, 10).expect_err("no product").to_string());
        messages.dedup();
        insta::assert_snapshot!(messages.join("\n"));
    }

    proptest! {
        /// Along any series of stocks, the crossings are exactly the falls below the threshold.
        #[test]
        fn each_fall_crosses_once(stocks in proptest::collection::vec(0_u64..30, 2..40), threshold in 0_u64..30) {
            let crossed = stocks.windows(2).filter(|pair| decided(pair[0], pair[1], threshold).is_some()).count();
            let below: Vec<bool> = stocks.iter().map(|stock| *stock < threshold).collect();
            let falls = below.windows(2).filter(|pair| !pair[0] && pair[1]).count();
            prop_assert_eq!(crossed, falls);
        }

        /// Between two crossings the stock rises to the threshold again.
        #[test]
        fn crossings_alternate_with_rises(stocks in proptest::collection::vec(0_u64..30, 2..40), threshold in 1_u64..30) {
            let mut armed = true;
            for pair in stocks.windows(2) {
                armed |= pair[0] >= threshold;
                if decided(pair[0], pair[1], threshold).is_some() {
                    prop_assert!(armed);
                    armed = false;
                }
            }
        }

        #[test]
        fn no_number_is_a_panic(old in "[0-9.eE+-]{0,25}", new in "\\PC{0,8}", default: u64) {
            let images = [Some(item(&old)), Some(item(&new))];
            let [old, new] = images;
            let _ = crossing(&change(old, new), default);
        }
    }
}
