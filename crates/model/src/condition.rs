//! Conditions in CEL, the common expression language: `int(output.count.rows) > 0`.
//!
//! | variable | holds |
//! |---|---|
//! | `param.NAME` | a parameter of the instance, as text |
//! | `output.NODE.NAME`, `output["NODE"].NAME` | what a node has handed on, in its declared type |
//! | `state.NAME` | a value kept from the run before, as text |
//!
//! The check of an HTTP answer has its own variables: `status`, `headers`, `body` and, of a JSON answer, `json`.

mod answer;
mod evaluate;
mod loops;
mod names;
mod outcome;
mod place;
mod row;
mod types;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use cel::IdedExpr;

use crate::quote::shortened;
use crate::text::Text;

pub use answer::Answer;
pub use evaluate::{Scope, Value};
pub use row::{Bound, ColumnType, Computed, RowExpression};
pub use types::{Mismatch, OutputTypes};

/// The variables of a condition on an edge.
pub const EDGE_VARIABLES: &[&str] = &["param", "output", "state"];

/// The variables of a check on an HTTP answer.
pub const ANSWER_VARIABLES: &[&str] = &["status", "headers", "body", "json"];

/// The longest condition, in bytes.
const LONGEST: usize = 1000;

/// How deep brackets, negations and alternatives may nest: the parser's stack grows with them, by about 100 KiB each in
/// a debug build.
const DEEPEST: usize = 8;

/// A condition that can be read.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    names: Vec<Vec<String>>,
    expression: Arc<IdedExpr>,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// What is wrong.
    pub message: Text,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
}

impl ConditionError {
    /// What to write instead, if it can be told of the text that it was found in.
    pub fn hint(&self, text: &str) -> Option<Text> {
        hint(text, &self.range)
    }
}

impl Condition {
    /// Reads a condition whose variables are among `variables`.
    ///
    /// # Errors
    /// [`ConditionError`] for the first mistake.
    pub fn parse(text: &str, variables: &[&str]) -> Result<Self, ConditionError> {
        check_size(text)?;
        let expression = cel::parser::Parser::default()
            .parse(text)
            .map_err(|errors| syntax_error(text, &errors))?;
        let names = names::collect(&expression);
        let unknown = names
            .iter()
            .find(|name| !variables.contains(&name[0].as_str()));
        if let Some(name) = unknown {
            return Err(unknown_variable(text, &name[0], variables));
        }
        let too_much = |message| ConditionError {
            message,
            range: 0..text.len(),
        };
        loops::check_depth(&expression).map_err(too_much)?;
        if variables == EDGE_VARIABLES {
            loops::check(&expression).map_err(too_much)?;
        }
        outcome::check_functions(&expression).map_err(|(name, message)| {
            let range = word_in(text, &name);
            ConditionError { message, range }
        })?;
        outcome::check_truth(&expression).map_err(too_much)?;
        Ok(Self {
            text: text.trim().to_owned(),
            names,
            expression: Arc::new(expression),
        })
    }

    /// The text as written, without the blanks around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The values that it looks at, as paths: `output.count.rows` is `["output", "count", "rows"]`.
    pub fn names(&self) -> &[Vec<String>] {
        &self.names
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_size(text: &str) -> Result<(), ConditionError> {
    let mut open = 0_usize;
    let mut signs = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'?' | b'!' => signs += 1,
            b'-' if text[at + 1..].trim_start().starts_with('-') => signs += 1,
            _ => {}
        }
        if open > DEEPEST || signs > 2 * DEEPEST {
            return Err(ConditionError {
                message: Text::new("条件嵌套过深", "the condition is nested too deeply"),
                range: at..at + 1,
            });
        }
    }
    if text.len() > LONGEST {
        return Err(ConditionError {
            message: Text::new(
                format!("条件超过{LONGEST}个字节"),
                format!("the condition is longer than {LONGEST} bytes"),
            ),
            range: 0..text.len(),
        });
    }
    Ok(())
}

/// The parser's own words are about grammar: we say where it stopped.
fn syntax_error(text: &str, errors: &cel::ParseErrors) -> ConditionError {
    let first = errors
        .errors
        .iter()
        .filter(|error| error.msg.starts_with("Syntax error"))
        .map(|error| offset(text, error.pos))
        .min();
    let at = first.unwrap_or(0);
    let length = text[at..].chars().next().map_or(0, char::len_utf8);
    let rest = shortened(&text[at..]);
    let message = if rest.trim().is_empty() {
        Text::new("条件不完整", "the condition breaks off")
    } else {
        Text::new(
            format!("条件在 `{rest}` 处无法理解"),
            format!("the condition cannot be read at `{rest}`"),
        )
    };
    ConditionError {
        message,
        range: at..at + length,
    }
}

/// The byte at a line and column, both from 1, columns in characters.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[start.min(text.len())..];
    let inside = rest
        .char_indices()
        .nth(column)
        .map_or(rest.len(), |(at, _)| at);
    start + inside
}

fn unknown_variable(text: &str, name: &str, variables: &[&str]) -> ConditionError {
    let found = shortened(name);
    ConditionError {
        message: Text::new(
            format!("条件中没有变量 `{found}`，可用：{}", variables.join("、")),
            format!(
                "there is no variable `{found}` in a condition, only {}",
                variables.join(", ")
            ),
        ),
        range: word_in(text, name),
    }
}

/// What to write where a condition cannot be read, if an operator of another language stands there.
pub(crate) fn hint(text: &str, place: &Range<usize>) -> Option<Text> {
    const OPERATORS: &[(&str, &str)] = &[
        ("<>", "!="),
        ("＝", "=="),
        ("=", "=="),
        ("&", "&&"),
        ("|", "||"),
        ("and", "&&"),
        ("or", "||"),
        ("not", "!"),
    ];
    if let Some(meant) = in_brackets(text, place.start) {
        return Some(Text::new(
            format!("这样的名称写在方括号中：`{meant}`"),
            format!("such a name stands in brackets: `{meant}`"),
        ));
    }
    let (before, rest) = (text.get(..place.start)?, text.get(place.start..)?);
    let word = rest.split(|c: char| !c.is_alphanumeric()).next()?;
    let last = before.trim_end().rsplit(char::is_whitespace).next()?;
    let stands = |(operator, _): &&(&str, &str)| match *operator {
        // What follows these two cannot be read.
        "not" => last.trim_start_matches('(').eq_ignore_ascii_case("not"),
        "<>" => rest.starts_with('>') && before.ends_with('<'),
        _ if operator.is_ascii() && operator.len() > 1 => word.eq_ignore_ascii_case(operator),
        _ => rest.starts_with(operator),
    };
    let (_, meant) = OPERATORS.iter().find(stands)?;
    if *meant == "&&" {
        return Some(Text::new(
            "是否想写 `&&`？在XML中写作 `&amp;&amp;`",
            "did you mean `&&`? in XML it is `&amp;&amp;`",
        ));
    }
    Some(Text::new(
        format!("是否想写 `{meant}`？"),
        format!("did you mean `{meant}`?"),
    ))
}

/// How the value around a place is written whose node's name is no word of this language: `output['统计'].rows`.
fn in_brackets(text: &str, place: usize) -> Option<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let (before, behind) = (text.get(..place)?, text.get(place..)?);
    let start = before.rfind(|letter| !is_part(letter)).map_or(0, |at| {
        at + before[at..].chars().next().map_or(0, char::len_utf8)
    });
    let length = behind.find(|letter| !is_part(letter));
    let path = &text[start..place + length.unwrap_or(behind.len())];
    let (variable, rest) = path.split_once('.')?;
    let (name, field) = match rest.split_once('.') {
        Some((name, field)) => (name, format!(".{field}")),
        None => (rest, String::new()),
    };
    let is_word = |text: &str| {
        text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let is_odd = EDGE_VARIABLES.contains(&variable) && !name.is_empty() && !is_word(name);
    is_odd.then(|| format!("{variable}['{name}']{field}"))
}

/// Where a name stands that is no part of a longer one, and no field of something.
fn word_in(text: &str, name: &str) -> Range<usize> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_whole = |at: usize| {
        !text[..at].ends_with(|before| is_part(before) || before == '.')
            && !text[at + name.len()..].starts_with(is_part)
    };
    let mut places = text.match_indices(name).map(|(at, _)| at);
    let start = places
        .clone()
        .find(|at| is_whole(*at))
        .or_else(|| places.next())
        .unwrap_or(0);
    start..(start + name.len()).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::{Condition, EDGE_VARIABLES};

    fn error(text: &str) -> (String, String) {
        let error = Condition::parse(text, EDGE_VARIABLES).unwrap_err();
        (error.message.en, text[error.range].to_owned())
    }

    fn names(text: &str) -> Vec<String> {
        let condition = Condition::parse(text, EDGE_VARIABLES).unwrap();
        condition
            .names()
            .iter()
            .map(|name| name.join("."))
            .collect()
    }

    #[test]
    fn the_values_of_a_condition_are_known() {
        assert_eq!(
            names(r#" int(param.n) > 0 && (output["抽取"].rows == 3 || state.last == '') "#),
            ["param.n", "output.抽取.rows", "state.last"]
        );
        assert_eq!(names("[param.a, 'b'].exists(x, x == 'a')"), ["param.a"]);
        assert_eq!(names("has(output.a.b)"), ["output.a.b"]);
        assert_eq!(names("true"), [""; 0]);
    }

    #[test]
    fn mistakes_are_found_where_they_stand() {
        let found = |message: &str, piece: &str| (message.to_owned(), piece.to_owned());
        assert_eq!(error("param.a >"), found("the condition breaks off", ""));
        assert_eq!(error(""), found("the condition breaks off", ""));
        assert_eq!(
            error("param.a == '中' &&\n && true"),
            found("the condition cannot be read at `&& true`", "&")
        );
        assert_eq!(
            error("rows > 0"),
            found(
                "there is no variable `rows` in a condition, only param, output, state",
                "rows"
            )
        );
    }

    #[test]
    fn operators_of_other_languages_are_known() {
        for (text, meant) in [
            ("output.a.n = 3", "did you mean `==`?"),
            (
                "param.a == 'x' and true",
                "did you mean `&&`? in XML it is `&amp;&amp;`",
            ),
            (
                "param.a == 'x' AND true",
                "did you mean `&&`? in XML it is `&amp;&amp;`",
            ),
            ("param.a == 'x' or true", "did you mean `||`?"),
            ("not true", "did you mean `!`?"),
            (
                "true & true",
                "did you mean `&&`? in XML it is `&amp;&amp;`",
            ),
            ("param.a <> 'x'", "did you mean `!=`?"),
            (
                "output.统计.rows > 0",
                "such a name stands in brackets: `output['统计'].rows`",
            ),
            (
                "1 < output.my-node.rows",
                "such a name stands in brackets: `output['my-node'].rows`",
            ),
            (
                "param.日期 == ''",
                "such a name stands in brackets: `param['日期']`",
            ),
        ] {
            let error = Condition::parse(text, EDGE_VARIABLES).unwrap_err();
            let found = super::hint(text, &error.range).map(|hint| hint.en);
            assert_eq!(found.as_deref(), Some(meant), "{text}: {error:?}");
        }
        for text in ["param.a >", "param.a == 'x' b", "1 2"] {
            let error = Condition::parse(text, EDGE_VARIABLES).unwrap_err();
            assert_eq!(super::hint(text, &error.range), None, "{text}");
        }
    }

    #[test]
    fn functions_that_there_are_not_and_outcomes_that_are_no_truth_are_found() {
        for (text, message) in [
            (
                "foo(param.q)",
                "there is no function `foo` in a condition; there are size",
            ),
            (
                "param.q.startWith('a')",
                "there is no function `startWith` in a condition; did you mean `startsWith`?",
            ),
            (
                "1 + 1",
                "the condition gives a sum, neither true nor false; compare it, as in int(param.n) > 0",
            ),
            (
                "true && param.q",
                "the condition gives a text, neither true nor false; compare it, as in param.q == 'true'",
            ),
            ("'a'", "the condition gives a text"),
            ("size(param.q)", "the condition gives a number or a text"),
            ("true ? 1 : 2", "the condition gives a number"),
            ("!state['last']", "the condition gives a text"),
        ] {
            let (found, _) = error(text);
            assert!(found.starts_with(message), "{text}: {found}");
        }
        for text in [
            "param.q.startsWith('a') || param.q.endsWith('b') && param.q.contains('c')",
            "bool(param.q)",
            "output.a.full",
            "has(param.q) ? output['a'].full : false",
            "!([1].exists(x, x == size(param.q)))",
            "double(param.q) > 1.5 && string(1) == '1'",
            "dyn(output.a.full)",
        ] {
            assert!(Condition::parse(text, EDGE_VARIABLES).is_ok(), "{text}");
        }
    }

    #[test]
    fn loops_go_over_lists_that_are_written_out_and_are_few() {
        for text in [
            "[1, 2].exists(x, x > 1) && ['a'].all(x, x == param.a)",
            "[1, 2].map(x, x + 1).filter(x, x > 1) == [2]",
            "{'a': 1}.a == 1",
        ] {
            assert!(Condition::parse(text, EDGE_VARIABLES).is_ok(), "{text}");
        }
        for text in [
            "param.all(x, x == 'a')",
            "[param].exists(p, p.exists(k, k == 'a'))",
            "[{'a': 1, 'b': 2}].map(m, m.map(k, k)) == [['a', 'b']]",
            "['a'].map(x, x + x).map(x, x + x).map(x, x + x) == []",
        ] {
            assert!(Condition::parse(text, EDGE_VARIABLES).is_err(), "{text}");
        }
    }

    #[test]
    fn no_condition_is_too_much_for_the_parser() {
        for text in ["(", "[", "!", "true?", "- -", "{", "param.a[", "-"] {
            assert!(Condition::parse(&text.repeat(300), EDGE_VARIABLES).is_err());
            assert!(Condition::parse(&text.repeat(30), EDGE_VARIABLES).is_err());
        }
        let long = format!("true{}", " || true".repeat(110));
        assert!(Condition::parse(&long, EDGE_VARIABLES).is_ok());
        assert!(Condition::parse(&long.repeat(2), EDGE_VARIABLES).is_err());
        for text in ["1 + 1", "-1", "param.a.a"] {
            let repeated = format!("{text}{}", &text[text.len() - 2..].repeat(240));
            assert!(
                Condition::parse(&repeated, EDGE_VARIABLES).is_err(),
                "{text}"
            );
        }
    }
}
