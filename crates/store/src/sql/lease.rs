//! The lease row. Writing it and the journal's EPOCH_START is one transaction of the caller.

use akkaflow_model::id::Epoch;
use serde_json::json;

use akkaflow_model::text::Text;

use crate::error::Error;
use crate::lease::{Candidate, Lease, TakenOver};
use crate::sql::Dialect;
use crate::sql::executor::Executor;
use crate::sql::failure::is_duplicate;
use crate::sql::reads;
use crate::sql::texts::{EPOCH_START, FORMAT, append};
use crate::sql::value::Value;

/// How often a position that somebody else took meanwhile is looked for anew: only a dying master still appends.
const APPEND_TRIES: u32 = 100;

/// See [`crate::Store::renew`].
pub(crate) async fn renew(
    executor: &mut Executor<'_>,
    epoch: Epoch,
    incarnation: u128,
) -> Result<bool, Error> {
    let text = match executor.dialect() {
        Dialect::Sqlite => {
            "UPDATE af_lease SET renew_seq = renew_seq + 1, \
             renewed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) \
             WHERE id = 1 AND epoch = ? AND incarnation = ? AND holder <> ''"
        }
        Dialect::Mysql => {
            "UPDATE af_lease SET renew_seq = renew_seq + 1, renewed_at = UTC_TIMESTAMP(6) \
             WHERE id = 1 AND epoch = ? AND incarnation = ? AND holder <> ''"
        }
    };
    let met = executor
        .execute(text, &identity(epoch, incarnation))
        .await?;
    Ok(met == 1)
}

/// See [`crate::Store::release`].
pub(crate) async fn release(
    executor: &mut Executor<'_>,
    epoch: Epoch,
    incarnation: u128,
) -> Result<(), Error> {
    executor
        .execute(
            "UPDATE af_lease SET holder = '', renew_seq = renew_seq + 1 \
             WHERE id = 1 AND epoch = ? AND incarnation = ?",
            &identity(epoch, incarnation),
        )
        .await?;
    Ok(())
}

fn identity(epoch: Epoch, incarnation: u128) -> [Value<'static>; 2] {
    [Value::bits(epoch.0), Value::wide(incarnation)]
}

/// Writes the lease row and EPOCH_START. `None`: somebody else was faster, the caller rolls back.
pub(crate) async fn claim(
    executor: &mut Executor<'_>,
    seen: Option<&Lease>,
    candidate: &Candidate,
    connections: &str,
) -> Result<Option<TakenOver>, Error> {
    let epoch = match seen {
        Some(seen) => Epoch(seen.epoch.0 + 1),
        None => Epoch(reads::last_epoch(executor).await? + 1),
    };
    let is_ours = match seen {
        Some(seen) => replace(executor, seen, epoch, candidate, connections).await?,
        None => found(executor, epoch, candidate, connections).await?,
    };
    if !is_ours {
        return Ok(None);
    }
    let seq = start_epoch(executor, epoch, candidate).await?;
    Ok(Some(TakenOver { epoch, seq }))
}

async fn replace(
    executor: &mut Executor<'_>,
    seen: &Lease,
    epoch: Epoch,
    candidate: &Candidate,
    connections: &str,
) -> Result<bool, Error> {
    let text = match executor.dialect() {
        Dialect::Sqlite => {
            "UPDATE af_lease SET epoch = ?, holder = ?, incarnation = ?, endpoint = ?, connections = ?, \
             renew_seq = 0, renewed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) \
             WHERE id = 1 AND epoch = ? AND renew_seq = ?"
        }
        Dialect::Mysql => {
            "UPDATE af_lease SET epoch = ?, holder = ?, incarnation = ?, endpoint = ?, connections = ?, \
             renew_seq = 0, renewed_at = UTC_TIMESTAMP(6) \
             WHERE id = 1 AND epoch = ? AND renew_seq = ?"
        }
    };
    let values = [
        Value::bits(epoch.0),
        Value::text(&candidate.holder),
        Value::wide(candidate.incarnation),
        Value::text(&candidate.endpoint),
        Value::text(connections),
        Value::bits(seen.epoch.0),
        Value::bits(seen.renew_seq),
    ];
    Ok(executor.execute(text, &values).await? == 1)
}

async fn found(
    executor: &mut Executor<'_>,
    epoch: Epoch,
    candidate: &Candidate,
    connections: &str,
) -> Result<bool, Error> {
    let text = match executor.dialect() {
        Dialect::Sqlite => {
            "INSERT INTO af_lease \
             (id, cluster, epoch, holder, incarnation, endpoint, connections, renew_seq, renewed_at) \
             VALUES (1, ?, ?, ?, ?, ?, ?, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER))"
        }
        Dialect::Mysql => {
            "INSERT INTO af_lease \
             (id, cluster, epoch, holder, incarnation, endpoint, connections, renew_seq, renewed_at) \
             VALUES (1, ?, ?, ?, ?, ?, ?, 0, UTC_TIMESTAMP(6))"
        }
    };
    let values = [
        Value::wide(uuid::Uuid::new_v4().as_u128()),
        Value::bits(epoch.0),
        Value::text(&candidate.holder),
        Value::wide(candidate.incarnation),
        Value::text(&candidate.endpoint),
        Value::text(connections),
    ];
    match executor.execute(text, &values).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn start_epoch(
    executor: &mut Executor<'_>,
    epoch: Epoch,
    candidate: &Candidate,
) -> Result<u64, Error> {
    let body = json!({
        "holder": candidate.holder,
        "incarnation": format!("{:032x}", candidate.incarnation),
        "endpoint": candidate.endpoint,
        "seed": candidate.seed,
    })
    .to_string();
    let text = append(executor.dialect());
    for _ in 0..APPEND_TRIES {
        let seq = reads::last_seq(executor).await? + 1;
        let values = [
            Value::bits(seq),
            Value::bits(epoch.0),
            Value::wide(uuid::Uuid::new_v4().as_u128()),
            Value::Int(EPOCH_START),
            Value::Int(FORMAT),
            Value::Bytes(body.as_bytes().into()),
        ];
        match executor.execute(text, &values).await {
            Ok(_) => return Ok(seq),
            Err(error) if is_duplicate(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::unsuitable(
        Text::new(
            "有其他进程不断写入元数据库的日志表",
            "another process keeps appending to the journal",
        ),
        Text::new(
            "请检查是否有其他版本的master在运行",
            "see whether a master of another version is running",
        ),
    ))
}
