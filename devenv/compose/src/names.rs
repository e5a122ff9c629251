//! The name of a project.

/// Makes a project's name of a folder's name or of a text: small letters, digits, `_` and `-`.
pub(crate) fn normalized(name: &str) -> String {
    let name = name.to_lowercase();
    let allowed =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "_-".contains(character);
    name.chars().filter(|character| allowed(*character)).collect::<String>().trim_start_matches(['_', '-']).to_owned()
}

/// Whether a text may be the name of a project.
pub(crate) fn is_valid(name: &str) -> bool {
    let small = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    name.starts_with(small) && name.chars().all(|character| small(character) || "_-".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(normalized("My Project.2"), "myproject2");
        assert_eq!(normalized("_-b_c"), "b_c");
        assert_eq!(normalized("é"), "");
        assert!(is_valid("a-b_1") && !is_valid("_a") && !is_valid("A") && !is_valid(""));
    }
}
