//! Bytes that come in pieces, as lines.

/// A text on one line, at most so many characters of it.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A longer line is handed on in pieces.
const LONGEST: usize = 64 * 1024;

/// The line that has not ended yet.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// The lines that end with these bytes, without their breaks.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.open.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.open.len() >= LONGEST {
                lines.extend(self.end());
            }
        }
        lines
    }

    /// What has not ended, if there is anything.
    pub(crate) fn end(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.open);
        let text = String::from_utf8_lossy(&line);
        (!line.is_empty()).then(|| text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_their_breaks_are_whatever_the_pieces() {
        let mut lines = Lines::default();
        assert_eq!(lines.add("一".as_bytes().get(..2).unwrap()), [""; 0]);
        assert_eq!(lines.add(&"一\r\n\nb".as_bytes()[2..]), ["一", ""]);
        assert_eq!(lines.end().unwrap(), "b");
        assert_eq!(lines.end(), None);
        assert_eq!(lines.add(&vec![b'x'; LONGEST])[0].len(), LONGEST);
    }
}
