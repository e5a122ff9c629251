//! A file in memory, with positions in it.

use std::ops::Range;

use camino::Utf8PathBuf;

/// A file of the project, already read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path relative to the project's root, as in messages.
    pub path: Utf8PathBuf,
    pub text: String,
}

impl SourceFile {
    /// The size limit in bytes; larger files are refused before parsing.
    pub const SIZE_LIMIT: usize = 1024 * 1024;

    /// Returns a byte's line and column, both from 1; the column counts characters.
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

    /// Returns the place of `part` within the text at `span`; all of `span` if the file spells the text differently (escapes).
    pub fn within(&self, span: &Range<usize>, text: &str, part: &Range<usize>) -> Range<usize> {
        let written = self.text.get(span.clone()).unwrap_or_default();
        match written.find(text) {
            Some(offset) if !text.is_empty() => {
                let start = span.start + offset;
                start + part.start..start + part.end
            }
            _ => span.clone(),
        }
    }
}
