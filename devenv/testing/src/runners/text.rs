//! Text of unknown origin: bytes, colours, numbers, and how much of it is kept.

/// Bytes of a test's failure to keep.
const FAILURE_KEPT: usize = 64 * 1024;
/// Characters of a test's name to keep.
const NAME_KEPT: usize = 1000;

/// Decodes a line and removes what only a terminal shows: colours, and text that the line itself overwrote.
pub fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    let text = text.rsplit('\r').next().unwrap_or_default();
    if !text.contains('\u{1b}') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            // A control sequence ends at its first letter or the like.
            Some('[') => drop(characters.by_ref().find(|character| ('@'..='~').contains(character))),
            // A command to the terminal, such as a link or a title, ends with BEL or ESC \.
            Some(']') => {
                let mut before = ' ';
                for character in characters.by_ref() {
                    if character == '\u{7}' || (before == '\u{1b}' && character == '\\') {
                        break;
                    }
                    before = character;
                }
            }
            _ => {}
        }
    }
    plain
}

/// Adds a line to a test's failure, up to a limit.
pub(super) fn append(text: &mut String, line: &str) {
    if text.len() + line.len() < FAILURE_KEPT {
        text.push_str(line);
        text.push('\n');
    }
}

pub(super) fn shortened(name: String) -> String {
    match name.char_indices().nth(NAME_KEPT) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// `3 passed`: the number and the words behind it.
pub(super) fn number_and_word(part: &str) -> Option<(usize, &str)> {
    let (number, word) = part.trim().split_once(' ')?;
    Some((number.parse().ok()?, word.trim()))
}

/// A duration in the units that runners print: `3ms`, `1.20s`, `0.02 s`, `4 ms`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s')?, 1.0),
    };
    let seconds = number.trim().parse::<f64>().ok()? * unit;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

/// A word in the quotes of a shell.
pub(super) fn quoted(word: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || "_-./:=,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_bare) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_links_and_overwritten_text_go() {
        for (line, expected) in [
            (&b"\x1b[32m\xe2\x9c\x93\x1b[39m works\x1b[2m 3ms\x1b[0m"[..], "\u{2713} works 3ms"),
            (b"\x1b]8;;file:///a\x1b\\a\x1b]8;;\x07b", "ab"),
            (b"10 %\r100 %\r", "100 %"),
            (b"a\xff\x1b", "a\u{fffd}"),
            (b"\x1b[", ""),
            (b"\x1b]never ended", ""),
        ] {
            assert_eq!(plain(line), expected);
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(seconds("250ms"), Some(0.25));
        assert_eq!(seconds("1.5 s"), Some(1.5));
        for text in ["", "s", "5", "-1s", "NaNs", "infs", "1e999s"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        assert_eq!(quoted("tests/a.py::b"), "tests/a.py::b");
        assert_eq!(quoted("it's [a]"), r"'it'\''s [a]'");
        assert_eq!(quoted(""), "''");
    }
}
