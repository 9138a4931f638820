//! Rows that take the place of others: through a temporary table that counts them, since one `insert` must not touch a row twice.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::copy::refused;
use super::{Postgres, failed};
use crate::column::Column;
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::session::{Key, Load};
use crate::upsert::{STAGING, on_conflict};

/// Keys that are judged at the end of the transaction, over some rows or over expressions find no row.
pub(super) async fn keys(connection: &mut PgConnection, table: &str) -> Result<Vec<Key>, Error> {
    let rows: Vec<(String, bool, Vec<String>)> = sqlx::query_as(
        "select c.relname::text, i.indisprimary, array(select a.attname::text \
           from unnest(i.indkey::int2[]) with ordinality as k(number, place) \
           join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number \
           where k.place <= i.indnkeyatts order by k.place) \
         from pg_index i join pg_class c on c.oid = i.indexrelid \
         where i.indrelid = to_regclass($1) and i.indisunique and i.indisvalid and i.indimmediate \
         and i.indpred is null and i.indexprs is null order by i.indexrelid",
    )
    .bind(table)
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let keys = rows.into_iter().map(|(name, is_primary, columns)| Key {
        name,
        is_primary,
        columns,
    });
    Ok(keys.collect())
}

pub(super) async fn stage(
    connection: &mut PgConnection,
    table: &str,
    target: &[Column],
) -> Result<(), Error> {
    let columns = Postgres.names(target);
    let statements = format!(
        "create temporary table {STAGING} as select {columns} from {table} with no data; \
         alter table {STAGING} add column akkaflow_row bigint generated always as identity"
    );
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Takes the staged rows over, the last of each key.
pub(super) async fn merge(connection: &mut PgConnection, load: &Load) -> Result<(), Error> {
    let (table, columns) = (&load.table, Postgres.names(&load.target));
    let key = Postgres.list(&load.key);
    let statement = format!(
        "insert into {table} ({columns}) overriding system value select distinct on ({key}) {columns} from {STAGING} \
         order by {key}, akkaflow_row desc{}",
        on_conflict(load, &Postgres)
    );
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(refused)
}
