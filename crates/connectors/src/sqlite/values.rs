//! What columns hold whose declared type does not say it: the values themselves have types here.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::failed;
use crate::column::Kind;
use crate::error::Error;

/// For each column of `query` what all its values are; `None` where its declared type decides, or there is no value. Reads the
/// whole result, but only when such a column is among them.
pub(super) async fn kinds(
    connection: &mut SqliteConnection,
    query: &str,
    columns: &[(String, String)],
) -> Result<Vec<Option<Kind>>, Error> {
    let looked_at: Vec<bool> = columns
        .iter()
        .map(|(_, declared)| is_open(declared))
        .collect();
    if !looked_at.contains(&true) {
        return Ok(vec![None; columns.len()]);
    }
    let row = sqlx::query(AssertSqlSafe(statement(query, &looked_at)))
        .persistent(false)
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    (0..columns.len())
        .map(|index| kind(&row, index))
        .collect::<Result<_, _>>()
        .map_err(failed)
}

/// Declarations under which anything, or a number of any scale, may stand. A query says `NUM` of an expression whose result is a
/// number, and `BLOB` of a column without a type.
fn is_open(declared: &str) -> bool {
    matches!(
        declared.trim().to_ascii_lowercase().as_str(),
        "" | "num" | "numeric" | "decimal" | "number" | "blob"
    )
}

/// The line feed ends a comment that the query may end with.
fn statement(query: &str, looked_at: &[bool]) -> String {
    let names: Vec<String> = (0..looked_at.len())
        .map(|index| format!("c{index}"))
        .collect();
    let words: Vec<String> = names
        .iter()
        .zip(looked_at)
        .map(|(name, is_open)| match is_open {
            true => word(name),
            false => "null".to_owned(),
        })
        .collect();
    format!(
        "with akkaflow_values({}) as ({query}\n) select {} from akkaflow_values",
        names.join(", "),
        words.join(", ")
    )
}

/// One word for all values of a column. Whole numbers beside others must be among those that double precision keeps.
fn word(name: &str) -> String {
    const EXACT: i64 = 1 << 53;
    format!(
        "case when count({name}) = 0 then null \
         when max(typeof({name}) = 'blob') then 'blob' \
         when max(typeof({name}) = 'text') then 'text' \
         when not max(typeof({name}) = 'real') then 'integer' \
         when max(typeof({name}) = 'integer' and {name} not between -{EXACT} and {EXACT}) then 'text' \
         else 'real' end"
    )
}

fn kind(row: &SqliteRow, index: usize) -> Result<Option<Kind>, sqlx::Error> {
    let word: Option<String> = row.try_get_unchecked(index)?;
    Ok(word.map(|word| match word.as_str() {
        "blob" => Kind::Binary(None),
        "integer" => Kind::signed(64),
        "real" => Kind::Double,
        _ => Kind::Text(None),
    }))
}
