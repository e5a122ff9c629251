//! Lines of any length, in bounded memory.

use std::io::Result;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Bytes of a line that are read at once; what is longer comes in several pieces.
const LIMIT: usize = 64 * 1024;

/// A line, or a part of a long one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// With the line feed, if it has one.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is the beginning of its line: only that is searched for results.
    pub(crate) begins: bool,
}

impl Piece {
    pub(crate) fn ends(&self) -> bool {
        self.bytes.last() == Some(&b'\n')
    }
}

pub(crate) struct Pieces<R> {
    reader: BufReader<R>,
    /// What is read of the next piece. It outlives a call that is dropped before its end.
    read: Vec<u8>,
    begins: bool,
}

impl<R: AsyncRead + Unpin> Pieces<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), read: Vec::new(), begins: true }
    }

    /// Returns the next piece, or `None` at the end. May be dropped before it resolves.
    pub(crate) async fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                return Ok(if self.read.is_empty() { None } else { Some(self.take()) });
            }
            let part = &available[..available.len().min(LIMIT - self.read.len())];
            let end = part.iter().position(|byte| *byte == b'\n').map_or(part.len(), |place| place + 1);
            self.read.extend_from_slice(&part[..end]);
            self.reader.consume(end);
            if self.read.last() == Some(&b'\n') || self.read.len() == LIMIT {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Piece {
        let piece = Piece { bytes: std::mem::take(&mut self.read), begins: self.begins };
        self.begins = piece.ends();
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_byte_comes_through_and_a_long_line_in_parts() {
        let long = vec![b'x'; 3 * LIMIT + 5];
        let text = [b"a\n\xff\r\n\n".as_slice(), &long, b"\nend"].concat();
        let mut pieces = Pieces::new(text.as_slice());
        let (mut all, mut lines) = (Vec::new(), 0);
        while let Some(piece) = pieces.next().await.expect("readable") {
            assert!(piece.bytes.len() <= LIMIT);
            lines += usize::from(piece.begins);
            all.extend(piece.bytes);
        }
        assert_eq!(all, text);
        assert_eq!(lines, 5);
    }
}
