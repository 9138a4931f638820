//! What a server says of rows that it took: a table takes each of them exactly, or none.

use akkaflow_model::text::Text;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::failed;
use crate::error::Error;

/// Notes tell of decimals that are rounded and blanks that are cut, warnings of everything else. `LOCAL` makes warnings of
/// errors and passes over duplicates. A row that takes the place of another, where it `replaces` those, counts twice.
pub(super) async fn check(connection: &mut Conn, sent: u64, replaces: bool) -> Result<u64, Error> {
    let affected = match connection.affected_rows() {
        affected if replaces => affected.min(sent),
        affected => affected,
    };
    let warnings = connection.get_warnings();
    if warnings == 0 && affected == sent {
        return Ok(affected);
    }
    let first: Option<(String, u16, String)> = connection
        .query_first("show warnings limit 1")
        .await
        .map_err(failed)?;
    let refused = sent.saturating_sub(affected);
    let reason = first.as_ref().map_or_else(
        || Text::new("被拒绝", "refused"),
        |(_, code, message)| of_row(*code, message),
    );
    Err(Error::unfit(inexact(refused, warnings, first), reason))
}

/// Server errors that are a row's fault: bad data (22), constraints (23) and what triggers signal (45) have classes of their own, these
/// have none.
const ROWS_FAULT: [u16; 5] = [1265, 1364, 1366, 3819, 4025];

/// What a statement that brought rows failed of.
pub(super) fn refused(error: mysql_async::Error) -> Error {
    let reason = match &error {
        mysql_async::Error::Server(error) => {
            let has_class = ["22", "23", "45"]
                .iter()
                .any(|class| error.state.starts_with(class));
            (has_class || ROWS_FAULT.contains(&error.code))
                .then(|| of_row(error.code, &error.message))
        }
        _ => None,
    };
    let error = failed(error);
    match reason {
        Some(reason) => Error::unfit(error.text(), reason),
        None => error,
    }
}

/// Of a row alone its place in the statement means nothing.
fn of_row(code: u16, message: &str) -> Text {
    Text::verbatim(format!("{} ({code})", message.replace(" at row 1", "")))
}

/// The same after a statement that tells of rows already taken.
pub(super) async fn check_warnings(connection: &mut Conn) -> Result<(), Error> {
    let affected = connection.affected_rows();
    check(connection, affected, false).await.map(drop)
}

/// Warnings that the server counts at most.
const MOST_WARNINGS: u16 = u16::MAX;

/// `first` is the server's first warning. Where it has rows and columns, its words name both, and mostly the value.
fn inexact(refused: u64, warnings: u16, first: Option<(String, u16, String)>) -> Text {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    if refused > 0 {
        zh.push(format!("{refused}条记录被拒绝"));
        en.push(format!("{refused} rows refused"));
    }
    if warnings > 0 {
        let (or_more_zh, or_more) = match warnings {
            MOST_WARNINGS => ("以上", " or more"),
            _ => ("", ""),
        };
        zh.push(format!("{warnings}个{or_more_zh}告警"));
        en.push(format!("{warnings}{or_more} warnings"));
    }
    let (zh, en) = (zh.join("，"), en.join(", "));
    let words = first.map_or_else(String::new, |(_, code, message)| {
        format!("{message} ({code})")
    });
    let (first_zh, first_en) = match words.as_str() {
        "" => (String::new(), String::new()),
        words => (
            format!("，首个为：{words}"),
            format!("; the first: {words}"),
        ),
    };
    Text::new(
        format!(
            "目标表不能原样保存所有值，已全部回滚（{zh}）{first_zh}；请修改源中的值，或让目标字段的类型能容纳它"
        ),
        format!(
            "the target does not keep all values as they are, nothing is kept ({en}){first_en}; \
             mend the value in the source, or give the column a type that holds it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_counted_and_the_first_is_quoted() {
        let truncated = || {
            let message = "Data truncated for column 'v' at row 2".to_owned();
            Some(("Warning".to_owned(), 1265, message))
        };
        let warned = inexact(0, 3, truncated());
        assert!(
            warned.en.contains(
                "nothing is kept (3 warnings); the first: Data truncated for column 'v' at row 2 (1265); mend"
            ),
            "{warned:?}"
        );
        assert!(!warned.zh.contains("0条"), "{warned:?}");
        let refused = inexact(2, 0, None);
        assert!(refused.en.contains("(2 rows refused); mend"), "{refused:?}");
        assert!(refused.zh.contains("（2条记录被拒绝）；请"), "{refused:?}");
        let many = inexact(1, MOST_WARNINGS, truncated());
        assert!(
            many.en.contains("(1 rows refused, 65535 or more warnings)"),
            "{many:?}"
        );
    }
}
