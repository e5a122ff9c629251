//! Identifiers as PostgreSQL keeps them. An identifier may contain the character NUL, which no text of PostgreSQL can.

use std::borrow::Cow;

const ESCAPE: char = '\\';

/// Returns the stored form of an identifier: itself, unless it contains NUL (`\0`) or a backslash (`\\`).
pub(crate) fn stored(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(ESCAPE, "\\\\").replace('\0', "\\0"))
}

/// Returns the identifier of a stored form.
pub(crate) fn original(stored: &str) -> String {
    let mut text = String::with_capacity(stored.len());
    let mut chars = stored.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            ESCAPE if chars.next() == Some('0') => '\0',
            char => char,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_identifier_is_stored_as_it_is() {
        assert!(matches!(stored("PROD-001 ü"), Cow::Borrowed("PROD-001 ü")));
        assert_eq!(stored("a\0b\\0"), "a\\0b\\\\0");
    }

    proptest::proptest! {
        #[test]
        fn a_stored_identifier_is_read_back(text in "[a\\\\0\u{0}ü]{0,12}") {
            let stored = stored(&text);
            proptest::prop_assert!(!stored.contains('\0'));
            proptest::prop_assert_eq!(original(&stored), text);
        }
    }
}
