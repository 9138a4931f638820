//! Whether a text is the name of a table, and nothing else: names stand in statements, where nobody can bind them.

use akkaflow_model::text::Text;

use crate::error::Error;

/// How names are quoted: by the standard and by our products.
const QUOTES: [(char, char); 3] = [('"', '"'), ('`', '`'), ('[', ']')];

/// Refuses what is not one name, or some parted by dots, plain or quoted.
///
/// # Errors
/// [`Error::Configuration`] saying what is written where a table was expected.
pub fn check_table_name(text: &str) -> Result<(), Error> {
    if is_table_name(text.trim()) {
        return Ok(());
    }
    Err(Error::Configuration(Text::new(
        format!("`{text}`不是表名，请写 表 或 库.表，含特殊字符的名称请加引号"),
        format!(
            "`{text}` is no name of a table; write table or database.table, and quote names with other characters"
        ),
    )))
}

fn is_table_name(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = match part(rest) {
            Some("") => return true,
            Some(rest) => match rest.strip_prefix('.') {
                Some(rest) => rest,
                None => return false,
            },
            None => return false,
        };
    }
}

/// What follows the name with which a text begins.
fn part(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    if let Some((_, end)) = QUOTES.iter().find(|(begin, _)| *begin == first) {
        return quoted(&text[1..], *end);
    }
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '@');
    let end = text.find(|c| !is_plain(c)).unwrap_or(text.len());
    (end > 0).then(|| &text[end..])
}

/// What follows the closing quote; two of them are one of the name.
fn quoted(text: &str, end: char) -> Option<&str> {
    let (mut rest, mut length) = (text, 0);
    loop {
        let (name, after) = rest.split_once(end)?;
        length += name.len();
        match after.strip_prefix(end) {
            Some(more) => (rest, length) = (more, length + 1),
            None => return (length > 0).then_some(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_or_quoted_and_may_say_where_the_table_is() {
        for name in [
            "t",
            "db.t",
            "订单",
            "a$b_1",
            "`a b`",
            "`a``; drop table b`",
            "\"S\".\"a.b\"",
            "[a b].t",
            " t ",
            "c.s.t",
        ] {
            assert!(check_table_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn whatever_is_more_than_a_name_is_refused() {
        for text in [
            "",
            "t; drop table t",
            "t t2",
            "t--",
            "t.",
            ".t",
            "`a",
            "`a`b",
            "a`b`",
            "(select 1)",
            "t/**/",
            "``",
            "t\nu",
            "`a``",
        ] {
            assert!(check_table_name(text).is_err(), "{text}");
        }
    }
}
