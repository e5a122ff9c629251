//! The function that a request names: by its name, with a qualifier, or by its ARN.

/// The name in a path's part, percent-encoded; `None` if the qualifier is another version than the only one.
pub(super) fn function(part: &str) -> Option<String> {
    let text = decoded(part);
    let pieces: Vec<&str> = text.split(':').collect();
    let (name, qualifier) = match pieces[..] {
        [name] => (name, None),
        [name, qualifier] => (name, Some(qualifier)),
        // ACCOUNT:function:NAME, arn:aws:lambda:REGION:ACCOUNT:function:NAME
        [_, "function", name] | ["arn", _, "lambda", _, _, "function", name] => (name, None),
        [_, "function", name, qualifier] | ["arn", _, "lambda", _, _, "function", name, qualifier] => {
            (name, Some(qualifier))
        }
        _ => return None,
    };
    qualifier.is_none_or(|qualifier| qualifier == LATEST).then(|| name.to_owned())
}

/// Whether a request's query asks for the only version, or for none.
pub(super) fn is_latest(query: Option<&str>) -> bool {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.filter(|(name, _)| name == "Qualifier").all(|(_, value)| value == LATEST)
}

pub(super) const LATEST: &str = "$LATEST";

fn decoded(part: &str) -> String {
    // A plus sign means itself in a path.
    let pair = format!("x={}", part.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_several_names() {
        for named in [
            "low-stock",
            "low-stock:$LATEST",
            "low-stock%3A%24LATEST",
            "000000000000:function:low-stock",
            "arn:aws:lambda:eu-west-1:000000000000:function:low-stock",
            "arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Alow-stock:$LATEST",
        ] {
            assert_eq!(function(named).as_deref(), Some("low-stock"), "{named}");
        }
        assert_eq!(function("low-stock:prod"), None);
        assert_eq!(function("arn:aws:sqs:eu-west-1:0:low-stock"), None);
    }

    #[test]
    fn a_query_asks_for_the_only_version() {
        for query in [None, Some(""), Some("other=1"), Some("Qualifier=$LATEST"), Some("Qualifier=%24LATEST")] {
            assert!(is_latest(query), "{query:?}");
        }
        assert!(!is_latest(Some("a=1&Qualifier=prod")) && !is_latest(Some("Qualifier=")));
    }
}
