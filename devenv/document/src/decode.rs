//! Checks a file's size and encoding before it is parsed.

use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::problem::{Mistakes, Problem};
use crate::source::SourceFile;

/// Returns a problem if the file exceeds the size limit.
pub fn too_large(file: &Arc<SourceFile>) -> Option<Problem> {
    let limit = SourceFile::SIZE_LIMIT;
    let message = format!("the file has {} bytes; the limit is {limit}", file.text.len());
    (file.text.len() > limit).then(|| Problem::new("manifest.too_large", file, 0..0, message))
}

impl SourceFile {
    /// Makes a source file from bytes.
    ///
    /// # Errors
    ///
    /// The place of the first byte that is not UTF-8.
    pub fn new(path: Utf8PathBuf, content: Vec<u8>) -> Result<Self, Mistakes> {
        match String::from_utf8(content) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let byte = error.as_bytes()[at];
                // A lossy conversion keeps the offsets before the bad byte.
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let message = format!("the file is not text: the byte {byte:#04x} is not UTF-8");
                let help = "save the file as UTF-8";
                let problem = Problem::new("manifest.encoding", &Arc::new(Self { path, text }), at..at, message);
                Err(problem.help(help).into())
            }
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
        assert_eq!(error.to_string(), "compose.yaml:2:6: the file is not text: the byte 0xe9 is not UTF-8");
    }
}
