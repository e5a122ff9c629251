use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::{ManifestError, Problem};

/// A file that describes a part of the environment, already read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the manifest's root, as messages show it.
    pub path: Utf8PathBuf,
    pub text: String,
}

/// The problem of a file that is no description of an environment by its size alone.
pub(super) fn too_large(file: &Arc<SourceFile>) -> Option<Problem> {
    let limit = SourceFile::SIZE_LIMIT;
    let message = format!("the file has {} bytes; {limit} are read at most", file.text.len());
    (file.text.len() > limit).then(|| Problem::new("manifest.too_large", file, 0..0, message))
}

impl SourceFile {
    /// Larger files are refused before they are parsed. Bytes.
    pub const SIZE_LIMIT: usize = 1024 * 1024;

    /// A file as it was read.
    ///
    /// # Errors
    ///
    /// The place of the first byte that is not UTF-8.
    pub fn new(path: Utf8PathBuf, content: Vec<u8>) -> Result<Self, ManifestError> {
        match String::from_utf8(content) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let byte = error.as_bytes()[at];
                // What stands before the byte keeps its place.
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let message = format!("this is no text: the byte {byte:#04x} is not UTF-8");
                let help = "save the file as UTF-8";
                let problem = Problem::new("manifest.encoding", &Arc::new(Self { path, text }), at..at, message);
                Err(problem.help(help).into())
            }
        }
    }

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

    /// The place of `part` within the text at `span`, where that text is written as it reads; else all of `span`.
    pub(super) fn within(&self, span: &Range<usize>, text: &str, part: &Range<usize>) -> Range<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_no_text_has_its_place() {
        let error =
            SourceFile::new("compose.yaml".into(), b"services:\n  abc\xe9: {}\n".to_vec()).expect_err("Latin-1");
        assert_eq!(error.to_string(), "compose.yaml:2:6: this is no text: the byte 0xe9 is not UTF-8");
    }
}
