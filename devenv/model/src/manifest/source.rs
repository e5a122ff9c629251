use std::ops::Range;

use camino::Utf8PathBuf;

/// A file that describes a part of the environment, already read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the manifest's root, as messages show it.
    pub path: Utf8PathBuf,
    pub text: String,
}

/// Larger files are refused before they are parsed.
pub(super) const SIZE_LIMIT: usize = 1024 * 1024;

impl SourceFile {
    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let mut end = byte.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The first place where `needle` stands, or the file's beginning.
    pub(super) fn find(&self, needle: &str) -> Range<usize> {
        self.text.find(needle).map_or(0..0, |start| start..start + needle.len())
    }
}
