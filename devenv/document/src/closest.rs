/// Longer words are skipped: the comparison takes quadratic time, and no key is that long.
const WORD_LIMIT: usize = 100;

/// Returns the word of `known` that a misspelt `word` most likely means.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_LIMIT {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= candidate.len().max(word.len()) / 3 + 1 && *distance < candidate.len()
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_recognised() {
        assert_eq!(closest("helth", ["health", "process"]), Some("health"));
        assert_eq!(closest("enviroment", ["environment", "entrypoint"]), Some("environment"));
        assert_eq!(closest("volumes", ["health", "process"]), None);
    }
}
