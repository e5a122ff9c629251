//! Laws that hold for every policy and message.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

use super::{FilterPolicy, Scope};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-2000i64..2000).prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        "[ab*.\\\\]{0,4}".prop_map(Value::String),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abc]",
        prop::sample::select(super::condition::OPERATORS.to_vec()).prop_map(str::to_owned),
        Just("$or".to_owned())
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map(key(), inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    btree_map("[abc]", anything(), 0..4).prop_map(|members| members.into_iter().collect())
}

fn with(key: &str, value: &Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value.clone()), ("other".to_owned(), json!(1))])
}

fn accepts(policy: &Value, message: &Map<String, Value>) -> bool {
    FilterPolicy::from_value(policy, Scope::MessageBody)
        .unwrap_or_else(|error| panic!("{policy}: {error}"))
        .accepts(message)
}

proptest! {
    #[test]
    fn no_input_is_too_strange(policy in anything(), message in object()) {
        for scope in [Scope::MessageAttributes, Scope::MessageBody] {
            if let Ok(policy) = FilterPolicy::parse(&policy.to_string(), scope) {
                policy.accepts(&message);
            }
        }
    }

    #[test]
    fn a_refusal_names_a_place_that_exists(policy in anything()) {
        if let Err(error) = FilterPolicy::from_value(&policy, Scope::MessageBody) {
            let mut value = Some(&policy);
            let (last, before) = error.at.0.split_last().map_or((None, [].as_slice()), |(last, before)| (Some(last), before));
            for step in before {
                value = match step {
                    super::Step::Key(key) => value.and_then(|value| value.get(key)),
                    super::Step::Index(index) => value.and_then(|value| value.get(index)),
                };
            }
            // The last step may name a missing number after an operator.
            prop_assert!(last.is_none() || value.is_some(), "{error}");
        }
    }

    #[test]
    fn a_value_equals_itself(text in "\\PC{1,8}", number in -1_000_000_000i64..=1_000_000_000) {
        for value in [json!(text), json!(number)] {
            let message = with("a", &value);
            let (same, other) = (json!({"a": [value]}), json!({"a": [{"anything-but": value}]}));
            prop_assert!(accepts(&same, &message));
            prop_assert!(!accepts(&other, &message));
        }
    }

    #[test]
    fn anything_but_is_the_opposite_for_one_value(pattern in "[ab]{1,3}", text in "[ab]{0,5}") {
        let message = with("a", &json!(text));
        for operator in ["prefix", "suffix", "wildcard", "equals-ignore-case"] {
            let holds = accepts(&json!({"a": [{operator: pattern}]}), &message);
            prop_assert_ne!(holds, accepts(&json!({"a": [{"anything-but": {operator: pattern}}]}), &message));
        }
        prop_assert_eq!(accepts(&json!({"a": [{"prefix": pattern}]}), &message), text.starts_with(&pattern));
        prop_assert_eq!(accepts(&json!({"a": [{"suffix": pattern}]}), &message), text.ends_with(&pattern));
    }

    #[test]
    fn a_key_exists_or_does_not(message in object()) {
        prop_assume!(!message.is_empty());
        let exists = accepts(&json!({"a": [{"exists": true}]}), &message);
        prop_assert_ne!(exists, accepts(&json!({"a": [{"exists": false}]}), &message));
    }

    #[test]
    fn ranges_are_arithmetic(low in -500i64..500, width in 1i64..500, number in -1000i64..1000) {
        let (message, high) = (with("a", &json!(number)), low + width);
        let range = |rule: Value| accepts(&json!({"a": [{"numeric": rule}]}), &message);
        prop_assert_eq!(range(json!([">", low, "<=", high])), number > low && number <= high);
        prop_assert_eq!(range(json!([">=", low, "<", high])), number >= low && number < high);
        prop_assert_eq!(range(json!(["=", low])), number == low);
    }

    #[test]
    fn digits_beyond_the_fifth_do_not_count(cents in -100_000_000i64..100_000_000) {
        #[expect(clippy::cast_precision_loss, reason = "far below the precision's end")]
        let number = cents as f64 / 100.0;
        let policy = json!({"a": [number]});
        prop_assert!(accepts(&policy, &with("a", &json!(number + 0.000_000_1))));
        prop_assert!(!accepts(&policy, &with("a", &json!(number + 0.000_02))));
    }

    #[test]
    fn a_wildcard_fits_what_is_put_in_its_place(pieces in vec("[ab]{1,2}", 1..4), fill in vec("[abc]{0,3}", 3)) {
        let text: String = pieces.iter().zip(&fill).flat_map(|(piece, fill)| [piece.as_str(), fill]).collect();
        let pattern = pieces.join("*") + "*";
        let policy = json!({"a": [{"wildcard": pattern}]});
        prop_assert!(accepts(&policy, &with("a", &json!(text))));
    }

    #[test]
    fn alternatives_are_a_disjunction(one in "[ab]{1,2}", two in "[ab]{1,2}", message in object()) {
        let (first, second) = (json!({"a": [{"prefix": one}]}), json!({"b": [two]}));
        let either = accepts(&json!({"$or": [first, second]}), &message);
        prop_assert_eq!(either, accepts(&first, &message) || accepts(&second, &message));
        let both = accepts(&json!({"a": [{"prefix": one}], "b": [two]}), &message);
        prop_assert_eq!(both, accepts(&first, &message) && accepts(&second, &message));
    }
}
