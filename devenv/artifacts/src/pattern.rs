//! Patterns for paths, as regular expressions: matching takes linear time, whatever the pattern.

use regex_lite::Regex;

/// A longer pattern is a mistake, or an attack on the matcher.
const LONGEST: usize = 1024;

/// Compiles a pattern for whole paths with `/` between their parts. `*` and `?` stay within a part, `**` spans parts, `[...]` is
/// one of several characters, and `\` takes the next character as it is.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let wrong = |why: &str| format!("{pattern} is not a valid pattern: {why}");
    if pattern.len() > LONGEST {
        return Err(format!("a pattern is longer than {LONGEST} bytes"));
    }
    let mut text = String::from("^");
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.peek() == Some(&'*') => {
                while characters.peek() == Some(&'*') {
                    characters.next();
                }
                let is_folder = characters.peek() == Some(&'/');
                if is_folder {
                    characters.next();
                }
                // At the end of the pattern, it stands for everything below.
                text.push_str(if characters.peek().is_none() { ".*" } else { "(?:.*/)?" });
            }
            '*' => text.push_str("[^/]*"),
            '?' => text.push_str("[^/]"),
            '[' => class(&mut characters, &mut text).ok_or_else(|| wrong("a bracket is not closed"))?,
            '\\' => match characters.next() {
                Some(next) => literal(next, &mut text),
                None => return Err(wrong("it ends with a backslash")),
            },
            other => literal(other, &mut text),
        }
    }
    text.push('$');
    Regex::new(&format!("(?s){text}")).map_err(|error| wrong(&error.to_string()))
}

fn class(characters: &mut impl Iterator<Item = char>, text: &mut String) -> Option<()> {
    let mut inner = String::new();
    let mut first = true;
    loop {
        match characters.next()? {
            ']' if !first => break,
            '!' | '^' if first && inner.is_empty() => {
                inner.push('^');
                continue;
            }
            '-' => inner.push('-'),
            '\\' => literal(characters.next()?, &mut inner),
            other => literal(other, &mut inner),
        }
        first = false;
    }
    text.push('[');
    text.push_str(&inner);
    text.push(']');
    Some(())
}

fn literal(character: char, text: &mut String) {
    if character.is_ascii_punctuation() && character != '/' {
        text.push('\\');
    }
    text.push(character);
}

/// The parts of a pattern before its first wildcard: whatever matches lies below them.
pub(crate) fn fixed_parts(pattern: &str) -> Vec<&str> {
    pattern.split('/').take_while(|part| !part.contains(['*', '?', '[', '\\'])).collect()
}

/// Whether a folder may hold something that matches a pattern with these fixed parts.
pub(crate) fn may_hold(folder: &str, fixed: &[impl AsRef<str>]) -> bool {
    folder.split('/').zip(fixed).all(|(part, fixed)| part == fixed.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        compile(pattern).expect("a valid pattern").is_match(path)
    }

    #[test]
    fn wildcards_stay_within_a_part_unless_they_are_double() {
        for (pattern, path, expected) in [
            ("*.py", "app.py", true),
            ("*.py", "web/app.py", false),
            ("**/*.py", "web/deep/app.py", true),
            ("**/*.py", "app.py", true),
            ("src/**", "src/a/b", true),
            ("src/**", "srcs/a", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("?.txt", "a.txt", true),
            ("?.txt", "/.txt", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a]x", "bx", true),
            ("[]a]x", "]x", true),
            (r"\*.py", "*.py", true),
            (r"\*.py", "a.py", false),
            ("a+b(c).{1}", "a+b(c).{1}", true),
            ("a.c", "abc", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in ["[a", "a\\", &"a".repeat(2000)] {
            assert!(compile(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_folders_on_the_way_to_a_match_are_worth_a_look() {
        let fixed = fixed_parts("src/web/*.py");
        assert_eq!(fixed, ["src", "web"]);
        assert!(may_hold("src", &fixed) && may_hold("src/web", &fixed) && may_hold("src/web/deep", &fixed));
        assert!(!may_hold("docs", &fixed));
        assert!(may_hold("anything", &fixed_parts("**/x")));
    }
}
