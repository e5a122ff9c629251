//! Which records of a batch a function has handled.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::invocation::Outcome;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All but these are handled.
    AllBut(BTreeSet<String>),
    /// None is handled.
    None,
    /// The function has not seen the batch.
    Unseen,
}

/// Judges a batch of the records with these ids. With `reports_failures` the function's response names those that failed; a response
/// that cannot be read, or names others, fails the whole batch, as in Lambda.
pub(crate) fn verdict(outcome: &Outcome, reports_failures: bool, ids: &[&str]) -> Verdict {
    let response = match outcome {
        Outcome::Done(response) => response,
        Outcome::Failed(_) => return Verdict::None,
        Outcome::NotTaken(_) => return Verdict::Unseen,
    };
    let everything = Verdict::AllBut(BTreeSet::new());
    if !reports_failures || response.is_empty() {
        return everything;
    }
    let Ok(response) = serde_json::from_slice::<Value>(response) else { return Verdict::None };
    let failures = match &response {
        Value::Null => return everything,
        Value::Object(entries) => entries.get("batchItemFailures"),
        _ => return Verdict::None,
    };
    let failures = match failures {
        None | Some(Value::Null) => return everything,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Verdict::None,
    };
    let named = |failure: &Value| {
        let id = failure["itemIdentifier"].as_str()?;
        ids.contains(&id).then(|| id.to_owned())
    };
    failures.iter().map(named).collect::<Option<_>>().map_or(Verdict::None, Verdict::AllBut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::Failure;

    fn judged(response: &'static str) -> Verdict {
        verdict(&Outcome::Done(response.into()), true, &["a", "b"])
    }

    fn all_but(ids: &[&str]) -> Verdict {
        Verdict::AllBut(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn a_response_names_what_failed() {
        for handled in
            ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#, r#"{"other":1}"#]
        {
            assert_eq!(judged(handled), all_but(&[]), "{handled}");
        }
        assert_eq!(judged(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), all_but(&["b"]));
        for unreadable in [
            "{",
            "1",
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"id":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"elsewhere"}]}"#,
            r#"{"batchItemFailures":"a"}"#,
        ] {
            assert_eq!(judged(unreadable), Verdict::None, "{unreadable}");
        }
    }

    #[test]
    fn without_reports_a_batch_is_handled_or_not() {
        let failures = Outcome::Done(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#.into());
        assert_eq!(verdict(&failures, false, &["a", "b"]), all_but(&[]));
        let failed = Outcome::Failed(Failure::new("error", "E", "m"));
        assert_eq!(verdict(&failed, true, &["a"]), Verdict::None);
        assert_eq!(verdict(&Outcome::NotTaken(String::new()), true, &["a"]), Verdict::Unseen);
    }
}
