//! The examples of the SNS Developer Guide, and the refusals.

use serde_json::{Map, Value, json};

use super::{FilterPolicy, Scope, attribute_value};

fn policy(text: &str, scope: Scope) -> FilterPolicy {
    FilterPolicy::parse(text, scope).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn attributes(given: &[(&str, &str, &str)]) -> Map<String, Value> {
    given.iter().filter_map(|(name, kind, text)| Some(((*name).to_owned(), attribute_value(kind, text)?))).collect()
}

fn refusal(text: &str, scope: Scope) -> String {
    FilterPolicy::parse(text, scope).expect_err(text).to_string()
}

#[test]
fn attributes_by_text() {
    for (rule, kind, value, accepted) in [
        (r#""rugby", "tennis""#, "String", "tennis", true),
        (r#""rugby", "tennis""#, "String", "baseball", false),
        (r#""rugby""#, "String.Array", r#"["golf", "rugby"]"#, true),
        (r#""rugby""#, "String.Array", r#"["golf"]"#, false),
        (r#""rugby""#, "String.Array", "no list", false),
        (r#""rugby""#, "Binary", "rugby", false),
        (r#"{"prefix": "bas"}"#, "String", "baseball", true),
        (r#"{"prefix": "bas"}"#, "String", "Baseball", false),
        (r#"{"suffix": "ball"}"#, "String", "football", true),
        (r#"{"suffix": "ball"}"#, "String", "balls", false),
        (r#"{"equals-ignore-case": "TeNNis"}"#, "String", "tEnnIS", true),
        (r#"{"wildcard": "f*ball"}"#, "String", "football", true),
        (r#"{"wildcard": "f*ball"}"#, "String", "baseball", false),
        (r#"{"cidr": "10.0.0.0/24"}"#, "String", "10.0.0.200", true),
        (r#"{"cidr": "10.0.0.0/24"}"#, "String", "10.0.1.200", false),
        (r#"{"anything-but": "rugby"}"#, "String", "tennis", true),
        (r#"{"anything-but": "rugby"}"#, "String", "rugby", false),
        (r#"{"anything-but": ["rugby", "tennis"]}"#, "String.Array", r#"["rugby", "baseball"]"#, true),
        (r#"{"anything-but": ["rugby", "tennis"]}"#, "String.Array", r#"["rugby"]"#, false),
        (r#"{"anything-but": {"prefix": "bas"}}"#, "String", "rugby", true),
        (r#"{"anything-but": {"prefix": "bas"}}"#, "String", "baseball", false),
        (r#"{"anything-but": {"suffix": "ball"}}"#, "String", "baseball", false),
        (r#"{"anything-but": {"wildcard": "*ball"}}"#, "String", "baseball", false),
        (r#"{"anything-but": {"equals-ignore-case": "TENNIS"}}"#, "String", "tennis", false),
        (r#"{"exists": true}"#, "String", "fans", true),
        (r#"{"exists": false}"#, "String", "fans", false),
        (r#"{"exists": true}"#, "Binary", "fans", false),
        (r#""rugby", {"prefix": "bas"}"#, "String", "basketball", true),
    ] {
        let policy = policy(&format!(r#"{{"interests": [{rule}]}}"#), Scope::MessageAttributes);
        let message = attributes(&[("interests", kind, value), ("other", "String", "x")]);
        assert_eq!(policy.accepts(&message), accepted, "{rule} for {kind} {value}");
    }
}

#[test]
fn attributes_by_number_and_keyword() {
    for (rule, kind, value, accepted) in [
        ("301.5", "Number", "301.5", true),
        ("301.5", "Number", "301.50", true),
        ("301.5", "Number", "3.015e2", true),
        ("301.5", "Number", "301.50001", false),
        ("301.5", "String", "301.5", false),
        ("3", "String.Array", "[1, 3]", true),
        (r#"{"numeric": ["=", 300]}"#, "Number", "300", true),
        (r#"{"numeric": ["<", 0]}"#, "Number", "-0.00001", true),
        (r#"{"numeric": ["<", 0]}"#, "Number", "0", false),
        (r#"{"numeric": [">", 0, "<=", 150]}"#, "Number", "150", true),
        (r#"{"numeric": [">", 0, "<=", 150]}"#, "Number", "0", false),
        (r#"{"numeric": [">=", 0]}"#, "Number", "5000000000", false),
        (r#"{"numeric": [">=", 0]}"#, "String", "5", false),
        (r#"{"anything-but": [100, 500]}"#, "Number", "101", true),
        (r#"{"anything-but": [100, 500]}"#, "Number", "100.0", false),
        (r#"{"anything-but": 100}"#, "Number", "100", false),
        ("true", "String.Array", "[true]", true),
        ("true", "String", "true", false),
        ("null", "String.Array", "[null]", true),
        ("false", "String.Array", "[true, null]", false),
    ] {
        let policy = policy(&format!(r#"{{"price": [{rule}]}}"#), Scope::MessageAttributes);
        assert_eq!(policy.accepts(&attributes(&[("price", kind, value)])), accepted, "{rule} for {kind} {value}");
    }
}

#[test]
fn absence_needs_another_attribute() {
    let policy = policy(r#"{"store": [{"exists": false}]}"#, Scope::MessageAttributes);
    assert!(policy.accepts(&attributes(&[("event", "String", "x")])));
    assert!(!policy.accepts(&attributes(&[])));
    assert!(self::policy("{}", Scope::MessageAttributes).accepts(&attributes(&[])));
}

#[test]
fn every_key_has_to_match() {
    let policy = policy(r#"{"store": ["a"], "price": [{"numeric": [">", 1]}]}"#, Scope::MessageAttributes);
    assert!(policy.accepts(&attributes(&[("store", "String", "a"), ("price", "Number", "2")])));
    assert!(!policy.accepts(&attributes(&[("store", "String", "a")])));
}

#[test]
fn one_alternative_has_to_match() {
    let text = r#"{
        "source": ["aws.cloudwatch"],
        "$or": [
            {"metric": ["cpu", "latency"]},
            {"kind": ["usage"], "space": ["ec2"], "$or": [{"id": [1234]}, {"group": [1000]}]},
            {"scope": ["service"]}
        ]
    }"#;
    let policy = policy(text, Scope::MessageBody);
    for (body, accepted) in [
        (json!({"source": "aws.cloudwatch", "metric": "cpu"}), true),
        (json!({"source": "aws.cloudwatch", "kind": "usage", "space": "ec2", "group": 1000}), true),
        (json!({"source": "aws.cloudwatch", "kind": "usage", "space": "ec2"}), false),
        (json!({"source": "aws.cloudwatch", "scope": "service"}), true),
        (json!({"metric": "cpu"}), false),
    ] {
        assert_eq!(policy.accepts(body.as_object().expect("objects")), accepted, "{body}");
    }
}

#[test]
fn bodies_have_nested_keys() {
    for (text, body, accepted) in [
        (r#"{"order": {"store": ["a"]}}"#, json!({"order": {"store": "a"}}), true),
        (r#"{"order": {"store": ["a"]}}"#, json!({"order": {"store": ["b", "a"]}}), true),
        (r#"{"order": {"store": ["a"]}}"#, json!({"order": "a"}), false),
        (r#"{"order": {"store": ["a"]}}"#, json!({"order": {"store": {"x": "a"}}}), false),
        (r#"{"order": {"store": [{"exists": false}]}}"#, json!({"other": 1}), true),
        (r#"{"order": {"store": [{"exists": false}]}}"#, json!({"order": {"store": {"x": 1}}}), true),
        (r#"{"order": {"store": [{"exists": true}]}}"#, json!({"order": {"store": null}}), false),
        (r#"{"order": {"store": [{"exists": true}]}}"#, json!({"order": {"store": 0}}), true),
        (r#"{"lines": {"id": ["a"], "count": [2]}}"#, json!({"lines": [{"id": "a", "count": 2}]}), true),
        (r#"{"lines": {"id": ["a"], "count": [2]}}"#, json!({"lines": [{"id": "a"}, {"count": 2}]}), false),
        (r#"{"paid": [true]}"#, json!({"paid": true}), true),
        (r#"{"paid": [null]}"#, json!({"paid": null}), true),
        (r#"{"paid": [null]}"#, json!({"other": null}), false),
    ] {
        let policy = policy(text, Scope::MessageBody);
        assert_eq!(policy.accepts(body.as_object().expect("objects")), accepted, "{text} for {body}");
    }
}

#[test]
fn refusals_have_a_reason_and_a_place() {
    for (text, reason, place) in [
        ("[]", "must be a JSON object", "$"),
        ("{", "failed to parse JSON", "$"),
        (r#"{"a": "x"}"#, r#""a" must be an object or an array"#, "$.a"),
        (r#"{"a": []}"#, "Empty arrays", "$.a"),
        (r#"{"a": {"b": ["x"]}}"#, "does not support nested", "$.a"),
        (r#"{"a": ["x", ["y"]]}"#, "Match value must be String", "$.a[1]"),
        (r#"{"a": [{}]}"#, "Empty objects", "$.a[0]"),
        (r#"{"a": [{"regex": "x"}]}"#, "Unrecognized match type regex", "$.a[0].regex"),
        (r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#, "Only one key", "$.a[0].suffix"),
        (r#"{"a": [{"prefix": 1}]}"#, "prefix match pattern must be a string", "$.a[0].prefix"),
        (r#"{"a": [{"prefix": ""}]}"#, "Empty prefix", "$.a[0].prefix"),
        (r#"{"a": [{"exists": "yes"}]}"#, "exists match pattern must be either true or false", "$.a[0].exists"),
        (r#"{"a": [{"wildcard": "**"}]}"#, "Consecutive wildcard", "$.a[0].wildcard"),
        (r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "Malformed CIDR", "$.a[0].cidr"),
        (r#"{"a": [{"anything-but": []}]}"#, "Empty arrays", "$.a[0].anything-but"),
        (r#"{"a": [{"anything-but": ["x", 1]}]}"#, "either all values", "$.a[0].anything-but"),
        (r#"{"a": [{"anything-but": [true]}]}"#, "must be a string or a number", "$.a[0].anything-but[0]"),
        (r#"{"a": [{"anything-but": {"numeric": []}}]}"#, "Unsupported anything-but", "$.a[0].anything-but.numeric"),
        (r#"{"a": [{"numeric": ">"}]}"#, "must be an array", "$.a[0].numeric"),
        (r#"{"a": [{"numeric": []}]}"#, "Empty arrays", "$.a[0].numeric"),
        (r#"{"a": [{"numeric": [1]}]}"#, "operator must be a string", "$.a[0].numeric[0]"),
        (r#"{"a": [{"numeric": ["!=", 1]}]}"#, "Unrecognized numeric range operator: !=", "$.a[0].numeric[0]"),
        (r#"{"a": [{"numeric": ["<"]}]}"#, "Value of < must be numeric", "$.a[0].numeric[1]"),
        (r#"{"a": [{"numeric": ["<", "1"]}]}"#, "Value of < must be numeric", "$.a[0].numeric[1]"),
        (r#"{"a": [{"numeric": ["<", 1, ">", 0]}]}"#, "Too many elements", "$.a[0].numeric[2]"),
        (r#"{"a": [{"numeric": [">", 5, "<", 5]}]}"#, "Bottom must be less than top", "$.a[0].numeric"),
        (r#"{"a": [{"numeric": ["<", 2e9]}]}"#, "between -1.0E9 and 1.0E9", "$.a[0].numeric[1]"),
        (r#"{"a": [-1e10]}"#, "between -1.0E9 and 1.0E9", "$.a[0]"),
        (r#"{"$or": ["x"]}"#, "two objects or more", "$.$or"),
        (r#"{"$or": [{"a": ["x"]}, {}]}"#, "at least one key", "$.$or[1]"),
        (r#"{"$or": [{"a": ["x"]}, {"prefix": "y"}]}"#, "operator prefix is no key", "$.$or[1].prefix"),
        (r#"{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}"#, "more than 5 keys", "$"),
    ] {
        let refusal = refusal(text, Scope::MessageAttributes);
        assert!(refusal.contains(reason) && refusal.ends_with(&format!(" at {place}")), "{text}: {refusal}");
    }
    let nested = refusal(r#"{"a": {"prefix": "x"}}"#, Scope::MessageBody);
    assert_eq!(nested, r#""prefix" must be an object or an array at $.a.prefix"#);
    assert!(
        refusal(&format!(r#"{{"a": ["{}"]}}"#, "x".repeat(256 * 1024)), Scope::MessageBody).contains("longer than")
    );
}

#[test]
fn combinations_multiply_and_count_depth() {
    let values = |count: usize| json!(vec!["x"; count]);
    let counted =
        |policy: &Value| FilterPolicy::from_value(policy, Scope::MessageBody).map(drop).map_err(|error| error.reason);
    for (policy, fits) in [
        (json!({"a": values(150)}), true),
        (json!({"a": values(151)}), false),
        (json!({"a": values(3), "b": values(1), "c": values(50)}), true),
        (json!({"a": values(3), "b": values(2), "c": values(26)}), false),
        // 4 x 4 x 3 x 3 = 144, the guide's example.
        (json!({"a": {"b": {"c": {"d": values(4)}}, "e": {"f": values(3)}}}), true),
        (json!({"a": {"b": {"c": {"d": values(5)}}, "e": {"f": values(3)}}}), false),
        (json!({"$or": [{"a": values(75)}, {"b": values(75)}]}), true),
        (json!({"$or": [{"a": values(75)}, {"b": values(76)}]}), false),
    ] {
        assert_eq!(counted(&policy).is_ok(), fits, "{policy}");
    }
    let refused = counted(&json!({"a": values(151)})).expect_err("above the limit");
    assert!(refused.starts_with("Filter policy is too complex"), "{refused}");
    let wild = vec![json!({"wildcard": "*a*"}); 34];
    assert!(counted(&json!({"a": wild})).expect_err("102 points").contains("points of wildcards"));
}
