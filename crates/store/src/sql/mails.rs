//! Queries about mails, and the removal of old ones.

use akkaflow_model::mail::{DeliveryRow, DeliveryState, MailKey, MailRow, StoredMail};

use crate::error::Error;
use crate::query::MailQuery;
use crate::sql::codes::Coded as _;
use crate::sql::executor::Executor;
use crate::sql::row::Columns;
use crate::sql::table::Table;
use crate::sql::tables::{MAIL_KEY, mail_key_values, read_mail_key};
use crate::sql::texts::placeholders;
use crate::sql::value::Value;
use crate::trim::Trim;

/// Finds one by the columns of its key.
const IS_KEY: &str = "instance = ? AND run = ? AND kind = ? AND node = ? AND attempt = ?";

/// Reads mails, which `tail` calls `m`, each with its sending, `d`.
async fn stored(
    executor: &mut Executor<'_>,
    tail: &str,
    values: &[Value<'_>],
) -> Result<Vec<StoredMail>, Error> {
    let columns = |table: &'static str, layout: &crate::sql::table::Layout| {
        let names = layout.keys.iter().chain(layout.columns);
        let names: Vec<String> = names.map(|name| format!("{table}.{name}")).collect();
        names.join(", ")
    };
    let same: Vec<String> = MAIL_KEY
        .iter()
        .map(|name| format!("d.{name} = m.{name}"))
        .collect();
    let text = format!(
        "SELECT {}, {} FROM af_mail m JOIN af_mail_delivery d ON {} {tail}",
        columns("m", &MailRow::LAYOUT),
        columns("d", &DeliveryRow::LAYOUT),
        same.join(" AND "),
    );
    let rows = executor.fetch(text, values).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::new(row);
            Ok(StoredMail {
                mail: MailRow::read(&mut columns)?,
                delivery: DeliveryRow::read(&mut columns)?,
            })
        })
        .collect()
}

/// See [`crate::Queries::mails`].
pub(crate) async fn mails(
    executor: &mut Executor<'_>,
    query: &MailQuery,
) -> Result<Vec<StoredMail>, Error> {
    let (mut tail, mut values) = ("WHERE 1 = 1".to_owned(), Vec::new());
    if let Some(instance) = query.instance {
        tail.push_str(" AND m.instance = ?");
        values.push(Value::id(instance));
    }
    if !query.states.is_empty() {
        tail.push_str(" AND d.state IN (");
        tail.push_str(&placeholders(query.states.len()));
        tail.push(')');
        values.extend(query.states.iter().map(|state| Value::Int(state.code())));
    }
    tail.push_str(
        " ORDER BY m.born_at DESC, m.instance DESC, m.run DESC, m.kind, m.node, m.attempt LIMIT ?",
    );
    values.push(Value::Int(query.effective_limit().into()));
    stored(executor, &tail, &values).await
}

/// See [`crate::Queries::mail`].
pub(crate) async fn mail(
    executor: &mut Executor<'_>,
    key: &MailKey,
) -> Result<Option<StoredMail>, Error> {
    let tail = "WHERE m.instance = ? AND m.run = ? AND m.kind = ? AND m.node = ? AND m.attempt = ?";
    Ok(stored(executor, tail, &mail_key_values(key)).await?.pop())
}

/// See [`crate::Queries::owed_mails`].
pub(crate) async fn owed(
    executor: &mut Executor<'_>,
    limit: u32,
) -> Result<Vec<StoredMail>, Error> {
    let tail = "WHERE d.state = ? ORDER BY d.next_at, m.instance, m.run, m.kind, m.node, m.attempt LIMIT ?";
    let values = [
        Value::Int(DeliveryState::Waiting.code()),
        Value::Int(limit.into()),
    ];
    stored(executor, tail, &values).await
}

/// Removes old mails; returns how many. The sending goes first: what is left when that breaks off is found again.
pub(crate) async fn trim(executor: &mut Executor<'_>, trim: &Trim) -> Result<u64, Error> {
    let old = format!(
        "SELECT {} FROM af_mail WHERE born_at < ? ORDER BY born_at LIMIT ?",
        MAIL_KEY.join(", ")
    );
    let values = [
        Value::time(trim.mails_before),
        Value::Int(trim.limit.into()),
    ];
    let rows = executor.fetch(old, &values).await?;
    let keys: Vec<MailKey> = rows
        .iter()
        .map(|row| read_mail_key(&mut Columns::new(row)))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Ok(0);
    }
    // Few statements: others wait to write. Rows as values are spelt differently by each database.
    let these = vec![format!("({IS_KEY})"); keys.len()].join(" OR ");
    let values: Vec<Value<'_>> = keys.iter().flat_map(mail_key_values).collect();
    let mut removed = 0;
    for table in ["af_mail_delivery", "af_mail"] {
        let text = format!("DELETE FROM {table} WHERE {these}");
        removed = executor.execute(text, &values).await?;
    }
    Ok(removed)
}
