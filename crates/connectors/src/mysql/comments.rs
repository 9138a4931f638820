//! Comments of columns. MySQL changes one only with the whole declaration of its column, which is taken from what the server
//! itself says of the table.

use std::ops::Range;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::{Mysql, code, failed, server_code};
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::session::Comments;

/// The comments of a table's columns; `None` when there is no such table.
pub(super) async fn of_columns(
    connection: &mut Conn,
    table: &str,
) -> Result<Option<Vec<(String, String)>>, Error> {
    let query = format!("show full columns from {table}");
    let rows: Vec<mysql_async::Row> = match connection.query(query).await {
        Ok(rows) => rows,
        Err(error) if server_code(&error) == Some(code::NO_SUCH_TABLE) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let columns = rows.into_iter().map(|row| {
        let name = row.get::<String, _>("Field").unwrap_or_default();
        (name, row.get::<String, _>("Comment").unwrap_or_default())
    });
    Ok(Some(columns.collect()))
}

/// Sets all of them in one statement.
pub(super) async fn set(
    connection: &mut Conn,
    table: &str,
    comments: &Comments,
) -> Result<(), Error> {
    let row: Option<(String, String)> = connection
        .query_first(format!("show create table {table}"))
        .await
        .map_err(failed)?;
    let (_, created) = row.unwrap_or_default();
    let modes: Option<String> = connection
        .query_first("select @@sql_mode")
        .await
        .map_err(failed)?;
    let has_escapes = !modes.unwrap_or_default().contains("NO_BACKSLASH_ESCAPES");
    let literal = |text: &str| {
        let text = text.replace('\'', "''");
        let text = if has_escapes {
            text.replace('\\', "\\\\")
        } else {
            text
        };
        format!("'{text}'")
    };
    let mut changes = Vec::new();
    for (column, comment) in &comments.columns {
        let name = Mysql.quote(column);
        if let Some(declared) = declaration(&created, &name, has_escapes) {
            let (before, after) = around_comment(declared, has_escapes);
            changes.push(format!(
                "modify column {name} {before} comment {} {after}",
                literal(comment)
            ));
        }
    }
    if let Some(comment) = &comments.table {
        changes.push(format!("comment = {}", literal(comment)));
    }
    if changes.is_empty() {
        return Ok(());
    }
    let statement = format!("alter table {table} {}", changes.join(", "));
    connection.query_drop(statement).await.map_err(failed)
}

/// What `show create table` says of a column behind its name.
fn declaration<'a>(created: &'a str, quoted: &str, has_escapes: bool) -> Option<&'a str> {
    let inside = created.get(created.find('(')? + 1..)?;
    let mut start = 0;
    for end in ends(inside, has_escapes) {
        let declared = inside[start..end].trim();
        if let Some(rest) = declared.strip_prefix(quoted) {
            return Some(rest.trim());
        }
        start = end + 1;
    }
    None
}

/// Where the declarations of a table end: at its commas, and at the bracket that closes it.
fn ends(inside: &str, has_escapes: bool) -> Vec<usize> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for (at, sign) in bare(inside, has_escapes) {
        match sign {
            b'(' => depth += 1,
            b')' if depth == 0 => {
                found.push(at);
                break;
            }
            b')' => depth -= 1,
            b',' if depth == 0 => found.push(at),
            _ => {}
        }
    }
    found
}

/// What stands before and behind a comment in a declaration, or behind the place where one may stand.
fn around_comment(declared: &str, has_escapes: bool) -> (&str, &str) {
    let signs: Vec<(usize, u8)> = bare(declared, has_escapes);
    let word_at = |word: &str| {
        let mut depth = 0_usize;
        for (at, sign) in &signs {
            match sign {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            let is_there = depth == 0
                && declared.as_bytes()[..*at]
                    .last()
                    .is_none_or(u8::is_ascii_whitespace)
                && declared
                    .get(*at..*at + word.len())
                    .is_some_and(|it| it.eq_ignore_ascii_case(word));
            if is_there {
                return Some(*at);
            }
        }
        None
    };
    if let Some(start) = word_at("comment '") {
        let quote = start + "comment ".len();
        let end = quote + quoted(&declared.as_bytes()[quote..], has_escapes).end;
        return (declared[..start].trim_end(), declared[end..].trim_start());
    }
    // A check stands last.
    let at = word_at("check (").unwrap_or(declared.len());
    (declared[..at].trim_end(), &declared[at..])
}

/// The bytes of a text that stand in no quotes; a quote that opens some is among them.
fn bare(text: &str, has_escapes: bool) -> Vec<(usize, u8)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        found.push((at, bytes[at]));
        at += match bytes[at] {
            b'\'' | b'"' | b'`' => quoted(&bytes[at..], has_escapes).end,
            _ => 1,
        };
    }
    found
}

/// What begins with a quote, up to the one that closes it. A doubled quote closes and opens at once.
fn quoted(bytes: &[u8], has_escapes: bool) -> Range<usize> {
    let quote = bytes[0];
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if has_escapes && quote != b'`' => at += 2,
            sign if sign == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            sign if sign == quote => return 0..at + 1,
            _ => at += 1,
        }
    }
    0..bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: &str = "CREATE TABLE `t (1)` (\n  `id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'old, it''s \\'(id)',\n  `a,b` decimal(10,2) DEFAULT 1.50,\n  `c``d` enum('x,y','comment ''z''') CHECK (`c``d` <> ')'),\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB COMMENT='t'";

    #[test]
    fn a_column_is_declared_again_but_for_its_comment() {
        let of = |name: &str| {
            let inside = &CREATED["CREATE TABLE `t (1)`".len()..];
            around_comment(declaration(inside, name, true).unwrap(), true)
        };
        assert_eq!(of("`id`"), ("int(11) NOT NULL AUTO_INCREMENT", ""));
        assert_eq!(of("`a,b`"), ("decimal(10,2) DEFAULT 1.50", ""));
        assert_eq!(
            of("`c``d`"),
            ("enum('x,y','comment ''z''')", "CHECK (`c``d` <> ')')")
        );
        assert_eq!(declaration(CREATED, "`nothing`", true), None);
    }
}
