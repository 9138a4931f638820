//! Whether a table can undo what was written into it.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

use super::failed;
use crate::error::Error;

pub(super) async fn without_transactions(
    connection: &mut Conn,
    table: &str,
) -> Result<Option<String>, Error> {
    // Who may write a table need not be allowed to see how it was made: then nobody says.
    let created: Result<Option<Row>, mysql_async::Error> = connection
        .query_first(format!("show create table {table}"))
        .await;
    let created = match created {
        Ok(row) => row.and_then(|row| row.get_opt(1)),
        Err(mysql_async::Error::Server(_)) => None,
        Err(error) => return Err(failed(error)),
    };
    let Some(Ok(created)) = created else {
        return Ok(None);
    };
    let created: String = created;
    let Some(engine) = engine(&created) else {
        return Ok(None);
    };
    let transactions: Option<Option<String>> = connection
        .exec_first(
            "select transactions from information_schema.engines where engine = ?",
            (engine,),
        )
        .await
        .map_err(failed)?;
    let has_transactions = transactions.flatten().is_some_and(|answer| answer == "YES");
    Ok((!has_transactions).then(|| engine.to_owned()))
}

/// The engine in a `CREATE TABLE`; a view has none.
fn engine(created: &str) -> Option<&str> {
    let (_, rest) = created.split_once("\n) ENGINE=")?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    Some(&rest[..end.unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_stands_behind_the_columns() {
        let table = "CREATE TABLE `t` (\n  `a` int\n) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4";
        assert_eq!(engine(table), Some("MyISAM"));
        assert_eq!(engine("CREATE VIEW `v` AS select 1"), None);
    }
}
