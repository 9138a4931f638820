//! Rows that take the place of others: through a temporary table with the key alone.
//!
//! Not by `on duplicate key update`: that would also change rows that share another key. The temporary table keeps the last row of each key, since rows
//! are loaded into it with `replace`. It stands once in each statement, as MySQL cannot open it twice.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

use super::exactly::check_warnings;
use super::{Mysql, failed};
use crate::column::Column;
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::session::{Key, Load};
use crate::upsert::{STAGING, others};

/// Keys over the beginnings of values or over expressions find no row.
pub(super) async fn keys(connection: &mut Conn, table: &str) -> Result<Vec<Key>, Error> {
    let rows: Vec<Row> = connection
        .query(format!("show index from {table}"))
        .await
        .map_err(failed)?;
    let text = |row: &Row, name: &str| row.get::<Option<String>, _>(name).flatten();
    let mut keys: Vec<Key> = Vec::new();
    let mut unusable = Vec::new();
    for row in rows {
        if text(&row, "Non_unique").as_deref() != Some("0") {
            continue;
        }
        let name = text(&row, "Key_name").unwrap_or_default();
        let Some(column) = text(&row, "Column_name").filter(|_| text(&row, "Sub_part").is_none())
        else {
            unusable.push(name);
            continue;
        };
        match keys.iter_mut().find(|key| key.name == name) {
            Some(key) => key.columns.push(column),
            None => keys.push(Key {
                is_primary: name == "PRIMARY",
                name,
                columns: vec![column],
            }),
        }
    }
    keys.retain(|key| !unusable.contains(&key.name));
    Ok(keys)
}

pub(super) async fn stage(
    connection: &mut Conn,
    table: &str,
    target: &[Column],
    key: &[String],
) -> Result<(), Error> {
    let (columns, key) = (Mysql.names(target), Mysql.list(key));
    connection
        .query_drop(format!(
            "create temporary table {STAGING} (unique key akkaflow_key ({key})) engine = InnoDB select {columns} from {table} limit 0"
        ))
        .await
        .map_err(failed)
}

/// Takes the staged rows over.
pub(super) async fn merge(connection: &mut Conn, load: &Load) -> Result<(), Error> {
    for statement in statements(load) {
        connection.query_drop(statement).await.map_err(failed)?;
        check_warnings(connection).await?;
    }
    Ok(())
}

fn statements(load: &Load) -> Vec<String> {
    let table = &load.table;
    let pair = |name: &String| {
        let name = Mysql.quote(name);
        format!("akkaflow_old.{name} = akkaflow_new.{name}")
    };
    let is_same: Vec<String> = load.key.iter().map(pair).collect();
    let is_same = is_same.join(" and ");
    let changed: Vec<String> = others(&load.target, &load.key)
        .into_iter()
        .map(|column| pair(&column.name))
        .collect();
    let mut statements = Vec::new();
    if !changed.is_empty() {
        statements.push(format!(
            "update {table} as akkaflow_old join {STAGING} as akkaflow_new on {is_same} set {}",
            changed.join(", ")
        ));
    }
    let columns = Mysql.names(&load.target);
    let first = Mysql.quote(&load.key[0]);
    let new: Vec<String> = load
        .target
        .iter()
        .map(|column| format!("akkaflow_new.{}", Mysql.quote(&column.name)))
        .collect();
    statements.push(format!(
        "insert into {table} ({columns}) select {} from {STAGING} as akkaflow_new left join {table} as akkaflow_old on {is_same} \
         where akkaflow_old.{first} is null",
        new.join(", ")
    ));
    statements
}
