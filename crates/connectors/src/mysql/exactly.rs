//! What a server says of rows that it took: a table takes each of them exactly, or none.

use akkaflow_model::text::Text;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::failed;
use crate::error::Error;

/// Notes tell of decimals that are rounded and blanks that are cut, warnings of everything else. `LOCAL` makes warnings of
/// errors and passes over duplicates.
pub(super) async fn check(connection: &mut Conn, sent: u64) -> Result<u64, Error> {
    let affected = connection.affected_rows();
    let warnings = connection.get_warnings();
    if warnings == 0 && affected == sent {
        return Ok(affected);
    }
    let found: Vec<(String, u16, String)> = connection
        .query("show warnings limit 3")
        .await
        .map_err(failed)?;
    let words: Vec<String> = found
        .into_iter()
        .map(|(_, code, message)| format!("{code}: {message}"))
        .collect();
    let words = match words.is_empty() {
        true => format!("{warnings} warnings"),
        false => words.join("; "),
    };
    let refused = sent.saturating_sub(affected);
    Err(Error::Row(Text::new(
        format!("目标表不能原样接收所有记录（{refused}条被拒绝），已全部回滚：{words}"),
        format!(
            "the target does not take all rows as they are ({refused} refused), nothing is kept: {words}"
        ),
    )))
}
