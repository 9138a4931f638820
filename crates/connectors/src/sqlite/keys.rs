//! The keys of a table.

use sqlx::sqlite::SqliteConnection;

use super::{failed, name_parts};
use crate::error::Error;
use crate::session::Key;

/// Keys over some rows or over expressions find no row.
pub(super) async fn keys(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<Key>, Error> {
    let (schema, table) = name_parts(table);
    // The number of its row may be the primary key: that has no index.
    let columns: Vec<String> =
        sqlx::query_scalar("select name from pragma_table_xinfo(?1, ?2) where pk > 0 order by pk")
            .bind(table)
            .bind(schema)
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
    let mut keys = Vec::new();
    if !columns.is_empty() {
        keys.push(Key {
            name: "primary key".to_owned(),
            is_primary: true,
            columns,
        });
    }
    // SQLite lists the newest first.
    let parts: Vec<(String, Option<String>)> = sqlx::query_as(
        "select i.name, c.name from pragma_index_list(?1, ?2) as i join pragma_index_xinfo(i.name, ?2) as c \
         where i.\"unique\" = 1 and i.partial = 0 and i.origin <> 'pk' and c.key = 1 order by i.seq desc, c.seqno",
    )
    .bind(table)
    .bind(schema)
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    for index in parts.chunk_by(|left, right| left.0 == right.0) {
        let columns: Option<Vec<String>> = index.iter().map(|(_, column)| column.clone()).collect();
        keys.extend(columns.map(|columns| Key {
            name: index[0].0.clone(),
            is_primary: false,
            columns,
        }));
    }
    Ok(keys)
}
