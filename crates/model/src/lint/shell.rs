//! Which bytes of a shell script are quoted.

/// What surrounds a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Commands; `(` when they end with a parenthesis, a backtick when they end with one.
    Commands(u8),
    Single,
    Double,
    /// `${...}` of the shell itself: what is in it is as quoted as what is around it.
    Expansion,
}

/// Which of the `ranges` (ascending) of `script` stand without quotes. A comment and the text of a here
/// document count as quoted: no word of a command comes of them.
pub(super) fn unquoted(script: &str, ranges: &[std::ops::Range<usize>]) -> Vec<bool> {
    let mut scanner = Scanner {
        bytes: script.as_bytes(),
        at: 0,
        within: vec![Within::Commands(0)],
        waiting: Vec::new(),
    };
    ranges
        .iter()
        .map(|range| {
            let is_unquoted = scanner.is_unquoted_at(range.start);
            scanner.at = scanner.at.max(range.end);
            is_unquoted
        })
        .collect()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    within: Vec<Within>,
    /// End marks of here documents whose text begins with the next line; whether tabs may precede them.
    waiting: Vec<(&'a [u8], bool)>,
}

impl<'a> Scanner<'a> {
    /// Reads on to `target`.
    fn is_unquoted_at(&mut self, target: usize) -> bool {
        let mut is_passed_over = target < self.at;
        while self.at < target {
            let before = self.at;
            self.step();
            debug_assert!(self.at > before, "the scanner always moves on");
            // A comment or a here document was passed over as a whole, and the place lies in it.
            is_passed_over = self.at > target;
        }
        !is_passed_over && !self.is_quoted()
    }

    fn is_quoted(&self) -> bool {
        let around = self.within.iter().rev();
        let innermost = around
            .copied()
            .find(|within| *within != Within::Expansion)
            .unwrap_or(Within::Commands(0));
        matches!(innermost, Within::Single | Within::Double)
    }

    fn step(&mut self) {
        let byte = self.bytes[self.at];
        self.at += 1;
        match *self.within.last().unwrap_or(&Within::Commands(0)) {
            Within::Single => {
                if byte == b'\'' {
                    self.within.pop();
                }
            }
            Within::Double => match byte {
                b'"' => drop(self.within.pop()),
                b'`' => self.within.push(Within::Commands(b'`')),
                _ => self.escape_or_expansion(byte),
            },
            Within::Expansion => match byte {
                b'}' => drop(self.within.pop()),
                _ => self.escape_or_expansion(byte),
            },
            Within::Commands(end) => self.command(byte, end),
        }
    }

    fn escape_or_expansion(&mut self, byte: u8) {
        match (byte, self.bytes.get(self.at)) {
            (b'\\', Some(_)) => self.at += 1,
            (b'$', Some(b'(')) => {
                self.at += 1;
                self.within.push(Within::Commands(b'('));
            }
            (b'$', Some(b'{')) => {
                self.at += 1;
                self.within.push(Within::Expansion);
            }
            _ => {}
        }
    }

    fn command(&mut self, byte: u8, end: u8) {
        match byte {
            b'\'' => self.within.push(Within::Single),
            b'"' => self.within.push(Within::Double),
            b'`' if end == b'`' => drop(self.within.pop()),
            b'`' => self.within.push(Within::Commands(b'`')),
            b'(' => self.within.push(Within::Commands(b'(')),
            b')' if end == b'(' => drop(self.within.pop()),
            b'#' if self.begins_word() => self.skip_line(),
            b'<' if self.bytes[self.at..].starts_with(b"<<") => self.at += 2,
            b'<' if self.bytes.get(self.at) == Some(&b'<') => self.here_document(),
            b'\n' if !self.waiting.is_empty() => self.skip_documents(),
            _ => self.escape_or_expansion(byte),
        }
    }

    /// Whether the byte just read begins a word.
    fn begins_word(&self) -> bool {
        self.at < 2 || matches!(self.bytes[self.at - 2], b' ' | b'\t' | b'\n' | b';' | b'(')
    }

    /// To the line break, which is left to be read.
    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
    }

    /// Behind the first `<` of `<<WORD` or `<<-WORD`.
    fn here_document(&mut self) {
        self.at += 1;
        let has_tabs = self.bytes.get(self.at) == Some(&b'-');
        self.at += usize::from(has_tabs);
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let is_mark =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'!');
        let quote = self
            .bytes
            .get(self.at)
            .filter(|byte| matches!(byte, b'\'' | b'"' | b'\\'));
        self.at += usize::from(quote.is_some());
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|byte| !is_mark(byte))
            .unwrap_or(rest.len());
        // `1 << 2` is arithmetic.
        if length > 0 && !rest[0].is_ascii_digit() {
            self.waiting.push((&rest[..length], has_tabs));
        }
        self.at += length;
        if matches!(quote, Some(b'\'' | b'"')) && self.bytes.get(self.at) == quote {
            self.at += 1;
        }
    }

    /// To the line behind the last end mark.
    fn skip_documents(&mut self) {
        for (mark, has_tabs) in std::mem::take(&mut self.waiting) {
            while self.at < self.bytes.len() {
                let begin = self.at;
                self.skip_line();
                let mut line = &self.bytes[begin..self.at];
                self.at = (self.at + 1).min(self.bytes.len());
                while has_tabs && line.first() == Some(&b'\t') {
                    line = &line[1..];
                }
                if line.strip_suffix(b"\r").unwrap_or(line) == mark {
                    break;
                }
            }
        }
    }
}
