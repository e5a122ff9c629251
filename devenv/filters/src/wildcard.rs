/// Of one pattern.
const MOST_WILDCARDS: usize = 3;

/// A pattern in which `*` stands for any text; `\*` and `\\` stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    /// The texts between the wildcards: one more than there are wildcards.
    pieces: Vec<String>,
}

impl Wildcard {
    pub(super) fn read(pattern: &str) -> Result<Self, String> {
        let mut pieces = vec![String::new()];
        let mut letters = pattern.chars();
        let mut after_wildcard = false;
        while let Some(letter) = letters.next() {
            match letter {
                '*' if after_wildcard => return Err("Consecutive wildcard characters are not allowed".to_owned()),
                '*' => pieces.push(String::new()),
                '\\' => match letters.next() {
                    Some(escaped @ ('*' | '\\')) => last(&mut pieces).push(escaped),
                    _ => return Err("Invalid escape character: only \\* and \\\\ are allowed".to_owned()),
                },
                other => last(&mut pieces).push(other),
            }
            after_wildcard = letter == '*';
        }
        if pieces.len() - 1 > MOST_WILDCARDS {
            return Err(format!("A pattern can not have more than {MOST_WILDCARDS} wildcards"));
        }
        Ok(Self { pieces })
    }

    /// The first text that fits each piece is as good as any: a later one leaves less for the pieces after it.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((end, middle)) = rest.split_last() else { return text == first };
        let Some(mut left) = text.strip_prefix(first.as_str()).and_then(|left| left.strip_suffix(end.as_str())) else {
            return false;
        };
        for piece in middle {
            let Some(at) = left.find(piece.as_str()) else { return false };
            left = &left[at + piece.len()..];
        }
        true
    }

    pub(super) fn points(&self) -> usize {
        match self.pieces.len() {
            0 | 1 => 0,
            2 => 1,
            _ => 3,
        }
    }
}

fn last(pieces: &mut [String]) -> &mut String {
    pieces.last_mut().expect("the first piece is never removed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_text() {
        for (pattern, text, fits) in [
            ("*ball", "football", true),
            ("*ball", "ball", true),
            ("*ball", "balls", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("xy*yx", "xyx", false),
            ("*", "", true),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"a\\*", r"a\x", true),
        ] {
            assert_eq!(Wildcard::read(pattern).expect(pattern).matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        for pattern in ["a**b", r"a\b", r"a\", "*a*b*c*"] {
            Wildcard::read(pattern).expect_err(pattern);
        }
    }
}
