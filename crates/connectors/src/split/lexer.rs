//! Just enough of each dialect's lexical rules to tell code from strings and comments.

/// What tells code from strings and comments, where products differ. All of them quote with `'` and `"` and comment with `--` and `/* */`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one rule, whatever the others are"
)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Lexis {
    /// A backslash in a string keeps its end from ending it.
    pub has_backslashes: bool,
    /// Names may stand in backticks.
    pub has_backticks: bool,
    /// Names may stand in brackets.
    pub has_brackets: bool,
    /// Strings may stand in `$tag$`.
    pub has_dollar_quotes: bool,
    /// Strings behind an `E` have backslashes.
    pub has_escape_strings: bool,
    /// `#` begins a comment.
    pub has_hash_comments: bool,
    /// `/*! ... */` and `/*M! ... */` are code.
    pub has_code_comments: bool,
    /// Comments may stand in comments.
    pub has_nested_comments: bool,
    /// `--` begins a comment only before a blank: `5--1` is arithmetic.
    pub wants_blank_after_dashes: bool,
    /// A line `DELIMITER x` changes what ends a statement.
    pub has_delimiter_lines: bool,
}

/// What separating needs to know of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// The separator in force.
    Separator { start: usize },
    /// A bare word.
    Word { start: usize, word: &'a str },
    /// A string, a quoted name, a number, a symbol.
    Other { start: usize },
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    position: usize,
    lexis: Lexis,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, lexis: Lexis) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            position: 0,
            lexis,
        }
    }

    /// Passes over blanks and comments to the next token.
    pub(super) fn next_token(&mut self, separator: &str) -> Option<Token<'a>> {
        while self.skip_blank() || self.skip_comment() {}
        let start = self.position;
        let byte = self.peek(0)?;
        if self.bytes[start..].starts_with(separator.as_bytes()) {
            self.position += separator.len();
            return Some(Token::Separator { start });
        }
        if is_word_start(byte) {
            return Some(self.word(start));
        }
        match byte {
            b'\'' => self.skip_quoted(b'\'', self.lexis.has_backslashes),
            b'"' => self.skip_quoted(b'"', self.lexis.has_backslashes),
            b'`' if self.lexis.has_backticks => self.skip_quoted(b'`', false),
            b'[' if self.lexis.has_brackets => self.skip_to(b']'),
            b'$' if self.lexis.has_dollar_quotes => self.skip_dollar(),
            b'0'..=b'9' => self.skip_while(is_word_part),
            _ => self.position += 1,
        }
        Some(Token::Other { start })
    }

    /// What is left of the current line, which is then passed over.
    pub(super) fn rest_of_line(&mut self) -> &'a str {
        let start = self.position;
        self.skip_line();
        &self.text[start..self.position]
    }

    fn word(&mut self, start: usize) -> Token<'a> {
        self.skip_while(is_word_part);
        let word = &self.text[start..self.position];
        let is_escape_string = self.lexis.has_escape_strings
            && word.eq_ignore_ascii_case("e")
            && self.peek(0) == Some(b'\'');
        if is_escape_string {
            self.skip_quoted(b'\'', true);
            return Token::Other { start };
        }
        Token::Word { start, word }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.position + ahead).copied()
    }

    fn skip_blank(&mut self) -> bool {
        let start = self.position;
        self.skip_while(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
        self.position > start
    }

    fn skip_comment(&mut self) -> bool {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (Some(b'#'), _, _) if self.lexis.has_hash_comments => self.skip_line(),
            (Some(b'-'), Some(b'-'), after) if self.is_dash_comment(after) => self.skip_line(),
            (Some(b'/'), Some(b'*'), Some(b'!' | b'M')) if self.lexis.has_code_comments => {
                return false;
            }
            (Some(b'/'), Some(b'*'), _) => self.skip_block_comment(),
            _ => return false,
        }
        true
    }

    fn is_dash_comment(&self, after: Option<u8>) -> bool {
        !self.lexis.wants_blank_after_dashes || after.is_none_or(|byte| byte <= b' ')
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| byte != b'\n');
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_u32;
        while self.position < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) if depth == 0 || self.lexis.has_nested_comments => {
                    depth += 1;
                    self.position += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.position += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.position += 1,
            }
        }
    }

    /// A doubled quote closes and opens again, which comes to the same.
    fn skip_quoted(&mut self, quote: u8, has_backslash: bool) {
        self.position += 1;
        while let Some(byte) = self.peek(0) {
            self.position += 1;
            if byte == quote {
                return;
            }
            if byte == b'\\' && has_backslash && self.peek(0).is_some() {
                self.position += 1;
            }
        }
    }

    fn skip_to(&mut self, end: u8) {
        self.skip_while(|byte| byte != end);
        self.position = (self.position + 1).min(self.bytes.len());
    }

    /// `$tag$ ... $tag$`, or a lone `$`.
    fn skip_dollar(&mut self) {
        let rest = &self.text[self.position..];
        let tag_length = rest[1..]
            .bytes()
            .take_while(|byte| is_word_start(*byte) || byte.is_ascii_digit())
            .count();
        let has_tag = rest.as_bytes().get(1 + tag_length) == Some(&b'$')
            && !rest.as_bytes()[1].is_ascii_digit();
        if !has_tag {
            self.position += 1;
            return;
        }
        let tag = &rest[..tag_length + 2];
        self.position = match rest[tag.len()..].find(tag) {
            Some(at) => self.position + tag.len() + at + tag.len(),
            None => self.bytes.len(),
        };
    }

    fn skip_while(&mut self, accepts: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&accepts) {
            self.position += 1;
        }
    }
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}
