//! Expressions over rows.

use super::{ColumnType, Computed, RowExpression};

const COLUMNS: &[(&str, ColumnType)] = &[
    ("id", ColumnType::Integer),
    ("amount", ColumnType::Number),
    ("name", ColumnType::Text),
    ("at", ColumnType::Moment),
    ("ok", ColumnType::Boolean),
    ("名字", ColumnType::Text),
    ("none", ColumnType::Integer),
    ("raw", ColumnType::Bytes),
];

const ROW: &[Option<&[u8]>] = &[
    Some(b"18446744073709551615"),
    Some(b"12345678901234567.8900"),
    Some(b"abc"),
    Some(b"2026-11-21 05:00:00.5"),
    Some(b"t"),
    Some("张三".as_bytes()),
    None,
    Some(b"\xff\x00"),
];

fn evaluated(text: &str) -> Result<String, String> {
    let bound = RowExpression::parse(text)
        .unwrap()
        .bind(COLUMNS)
        .map_err(|error| error.en)?;
    let spelled = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => "NULL".to_owned(),
    };
    bound
        .evaluate(ROW)
        .map(|computed| match computed {
            Computed::Column(index) => spelled(ROW[index]),
            Computed::Null => "NULL".to_owned(),
            Computed::Boolean(truth) => truth.to_string(),
            Computed::Text(text) => text,
            Computed::Bytes(bytes) => spelled(Some(&bytes)),
        })
        .map_err(|error| error.en)
}

#[test]
fn columns_have_the_types_of_their_values() {
    for (text, value) in [
        ("id > 9223372036854775807u", "true"),
        ("amount > 12345678901234000", "true"),
        ("amount / 2.0 < 1e17", "true"),
        ("name + '-' + row['名字']", "abc-张三"),
        ("row.name == name", "true"),
        ("size(row[\"名字\"])", "2"),
        ("at + duration('1h')", "2026-11-21 06:00:00.500"),
        ("at < timestamp('2026-11-21T05:00:01Z')", "true"),
        ("at.getFullYear()", "2026"),
        ("ok && !(none != null)", "true"),
        ("none == null ? 0 : none", "0"),
        ("null", "NULL"),
        ("raw == b'\\xff\\x00'", "true"),
        ("double(3)", "3"),
    ] {
        assert_eq!(evaluated(text).as_deref(), Ok(value), "{text}");
    }
}

#[test]
fn a_column_that_is_handed_on_keeps_every_digit() {
    for text in [
        "amount",
        "row['amount']",
        "ok ? amount : null",
        "none != null ? 0 : (id > 0u ? amount : 1)",
    ] {
        assert_eq!(
            evaluated(text).as_deref(),
            Ok("12345678901234567.8900"),
            "{text}"
        );
    }
    assert_eq!(evaluated("ok ? none : id").as_deref(), Ok("NULL"));
    let column = RowExpression::parse("amount")
        .unwrap()
        .bind(COLUMNS)
        .unwrap();
    assert_eq!(column.column(), Some(1));
}

#[test]
fn what_an_expression_gives_is_known_from_its_text() {
    let kind = |text: &str| {
        RowExpression::parse(text)
            .unwrap()
            .bind(COLUMNS)
            .unwrap()
            .kind()
    };
    for (text, expected) in [
        ("id + 1", Some(ColumnType::Integer)),
        ("amount * 2.0", Some(ColumnType::Number)),
        ("id > 1 || ok", Some(ColumnType::Boolean)),
        ("'a' + name", Some(ColumnType::Text)),
        ("at - duration('1h')", Some(ColumnType::Moment)),
        ("at - at", None),
        ("ok ? amount : null", Some(ColumnType::Number)),
        ("ok ? amount : name", None),
        ("string(id)", Some(ColumnType::Text)),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn failures_say_what_to_do() {
    for (text, words) in [
        (
            "nmae == 'a'",
            "the source has no column `nmae`; is `name` meant? (its columns: id,",
        ),
        (
            "none > 1",
            "column `none` is NULL, which can be neither compared",
        ),
        ("amount * 2", "values of the wrong type"),
        (
            "[1, 2]",
            "it gives a value of type list, which no column holds",
        ),
        ("1 / 0", "division by zero"),
        ("int(name)", "function `int` cannot take that value"),
    ] {
        let found = evaluated(text).unwrap_err();
        assert!(found.starts_with(words), "{text}: {found}");
    }
}

#[test]
fn what_can_be_known_is_said_before_any_row() {
    for (text, words, place) in [
        ("qty >", "the expression breaks off", ""),
        ("qty = 3", "the expression cannot be read at `= 3`", "="),
        (
            "foo(qty)",
            "there is no function `foo` in an expression",
            "foo",
        ),
        (
            "row == 1",
            "`row` is followed by the name of a column",
            "row",
        ),
        (
            "qty + 1",
            "the expression gives a sum, neither true nor false; compare it, as in int(qty) > 0",
            "qty + 1",
        ),
    ] {
        let error = RowExpression::parse_filter(text).unwrap_err();
        assert!(
            error.message.en.starts_with(words),
            "{text}: {}",
            error.message.en
        );
        assert_eq!(&text[error.range], place, "{text}");
    }
    assert!(RowExpression::parse("qty + 1").is_ok());
    assert!(RowExpression::parse_filter("qty").is_ok());
}

#[test]
fn a_null_is_named_whatever_is_done_with_it() {
    for text in [
        "none + 1",
        "1 - none",
        "name + none",
        "-none",
        "double(none) * 2.0",
        "none.startsWith('a')",
        "none < 1",
        "none ? 1 : 2",
        "row['none'] * 2",
    ] {
        let found = evaluated(text).unwrap_err();
        assert!(
            found.starts_with("column `none` is NULL"),
            "{text}: {found}"
        );
        assert!(found.contains("none != null ? … : null"), "{found}");
    }
    let filter = RowExpression::parse_filter("none").unwrap();
    let found = filter.bind(COLUMNS).unwrap().holds(ROW).unwrap_err();
    assert!(found.en.starts_with("column `none` is NULL"), "{found:?}");
}

#[test]
fn functions_that_are_named_when_one_is_missing_are_there() {
    let error = RowExpression::parse("foo(id)").unwrap_err().message;
    for name in ["uint", "getFullYear", "getDayOfWeek", "timestamp"] {
        assert!(
            error.en.contains(name) && error.zh.contains(name),
            "{error:?}"
        );
    }
    assert_eq!(
        evaluated("at.getDayOfWeek() >= 0 && uint(id) > 0u"),
        Ok("true".to_owned())
    );
    let error = RowExpression::parse("at.getFullYaer()")
        .unwrap_err()
        .message;
    assert!(
        error.en.contains("did you mean `getFullYear`?"),
        "{error:?}"
    );
}
