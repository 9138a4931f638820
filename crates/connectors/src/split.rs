//! Cuts a text of SQL statements into statements, as the product's own client would: a `;` in a string, a comment or the
//! body of a routine separates nothing.

mod lexer;
#[cfg(test)]
mod tests;

use crate::dialect::Dialect;
use lexer::{Lexer, Token};

pub(crate) use lexer::Lexis;

/// One statement of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text without the separator, comments inside it included.
    pub text: String,
    /// The line of the text where it starts, from 1.
    pub line: u32,
}

/// Cuts `text` into its statements. Empty ones and those that are nothing but comment are left out.
///
/// A MySQL text may hold `DELIMITER` lines, as its client knows them.
pub fn split(text: &str, dialect: &dyn Dialect) -> Vec<Statement> {
    let mut splitter = Splitter::new(text, dialect.lexis());
    while let Some(token) = splitter.lexer.next_token(&splitter.separator) {
        splitter.on_token(token);
    }
    splitter.finish(text.len());
    splitter.statements
}

/// Whether `text` holds no statement at all.
pub fn holds_no_statement(text: &str, dialect: &dyn Dialect) -> bool {
    let mut splitter = Splitter::new(text, dialect.lexis());
    // Nothing but the beginning of the first statement matters.
    while splitter.start.is_none()
        && let Some(token) = splitter.lexer.next_token(&splitter.separator)
    {
        splitter.on_token(token);
    }
    splitter.start.is_none()
}

struct Splitter<'a> {
    text: &'a str,
    has_delimiter_lines: bool,
    lexer: Lexer<'a>,
    separator: String,
    statements: Vec<Statement>,
    /// First byte of the statement under way.
    start: Option<usize>,
    nesting: Nesting,
    counted_to: usize,
    line: u32,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str, lexis: Lexis) -> Self {
        Self {
            text,
            has_delimiter_lines: lexis.has_delimiter_lines,
            lexer: Lexer::new(text, lexis),
            separator: ";".to_owned(),
            statements: Vec::new(),
            start: None,
            nesting: Nesting::default(),
            counted_to: 0,
            line: 1,
        }
    }

    fn on_token(&mut self, token: Token<'a>) {
        match token {
            Token::Separator { start } if self.separates() => self.finish(start),
            Token::Separator { start } => {
                self.nesting.on_symbol();
                self.start.get_or_insert(start);
            }
            Token::Word { start, word } => {
                if self.start.is_none() && self.is_delimiter_line(word) {
                    self.separator = self.lexer.rest_of_line().trim().to_owned();
                    if self.separator.is_empty() {
                        self.separator = ";".to_owned();
                    }
                    return;
                }
                self.start.get_or_insert(start);
                self.nesting.on_word(word);
            }
            Token::Other { start } => {
                self.start.get_or_insert(start);
                self.nesting.on_symbol();
            }
        }
    }

    /// With a delimiter of one's own the bodies of routines need no understanding.
    fn separates(&self) -> bool {
        self.separator != ";" || self.nesting.is_outside()
    }

    fn is_delimiter_line(&self, word: &str) -> bool {
        self.has_delimiter_lines && word.eq_ignore_ascii_case("delimiter")
    }

    fn finish(&mut self, end: usize) {
        self.nesting = Nesting::default();
        let Some(start) = self.start.take() else {
            return;
        };
        let breaks = self.text.as_bytes()[self.counted_to..start]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        self.line += u32::try_from(breaks).unwrap_or(u32::MAX);
        self.counted_to = start;
        self.statements.push(Statement {
            text: self.text[start..end].trim_end().to_owned(),
            line: self.line,
        });
    }
}

/// Whether we are inside `BEGIN ... END` of a routine. `IF`, `LOOP`, `WHILE` and `REPEAT` need no counting: their ends say
/// which they are.
#[derive(Debug, Default)]
struct Nesting {
    words: u32,
    header: Header,
    depth: u32,
    after_end: bool,
    first_is_begin: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Header {
    /// No word seen yet.
    #[default]
    Start,
    /// `CREATE ...`: of what is not known yet.
    Create,
    /// The statement may hold a body.
    Routine,
    /// It holds none.
    Plain,
}

impl Nesting {
    fn is_outside(&self) -> bool {
        self.depth == 0
    }

    fn on_symbol(&mut self) {
        self.after_end = false;
    }

    fn on_word(&mut self, word: &str) {
        let word = word.to_ascii_lowercase();
        self.words += 1;
        match self.header {
            Header::Start if word == "create" => self.header = Header::Create,
            Header::Start => {
                self.header = Header::Plain;
                self.first_is_begin = word == "begin";
            }
            Header::Create => self.on_create(&word),
            Header::Routine => self.on_body(&word),
            // MariaDB's anonymous block.
            Header::Plain if self.first_is_begin && self.words == 2 && word == "not" => {
                self.header = Header::Routine;
                self.depth = 1;
            }
            Header::Plain => {}
        }
    }

    fn on_create(&mut self, word: &str) {
        match word {
            "procedure" | "function" | "trigger" | "event" | "package" => {
                self.header = Header::Routine;
            }
            "table" | "view" | "index" | "database" | "schema" | "user" | "role" | "sequence"
            | "type" | "extension" | "domain" | "server" => self.header = Header::Plain,
            _ => {}
        }
    }

    fn on_body(&mut self, word: &str) {
        let follows_end = std::mem::take(&mut self.after_end);
        match word {
            "if" | "loop" | "while" | "repeat" if follows_end => self.depth += 1,
            "case" if follows_end => {}
            "begin" | "case" => self.depth += 1,
            "end" => {
                self.depth = self.depth.saturating_sub(1);
                self.after_end = true;
            }
            _ => {}
        }
    }
}
