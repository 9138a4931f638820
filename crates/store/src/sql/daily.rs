//! How many instances ended by day.

use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;

use crate::error::Error;
use crate::sql::executor::Executor;
use crate::sql::row::Columns;
use crate::sql::value::Value;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The last moment whose day has a four-digit year; later ones are not counted.
const LAST: i64 = 253_402_300_799_999;

/// The ends that are counted: none before 1970, none after 9999.
pub(crate) fn counted(from: Timestamp) -> std::ops::RangeInclusive<i64> {
    from.as_millis().max(0)..=LAST
}

/// `yyyy-mm-dd` of a moment shifted by an offset.
pub(crate) fn day(moment: i64, offset_seconds: i32) -> String {
    let shifted = moment + i64::from(offset_seconds) * 1000;
    name(shifted - shifted.rem_euclid(DAY_MS))
}

fn name(start: i64) -> String {
    let mut text = Timestamp::from_millis(start).to_rfc3339();
    text.truncate(10);
    text
}

/// See [`crate::Store::daily_counts`].
pub(crate) async fn daily_counts(
    executor: &mut Executor<'_>,
    from: Timestamp,
    offset_seconds: i32,
) -> Result<Vec<(String, InstanceState, u64)>, Error> {
    let (first, last) = counted(from).into_inner();
    let offset = i64::from(offset_seconds) * 1000;
    let rows = executor
        .fetch(
            "SELECT day, state, COUNT(*) FROM ( \
               SELECT (ended_at + ?) - (((ended_at + ?) % 86400000 + 86400000) % 86400000) AS day, state \
               FROM af_instance WHERE ended_at >= ? AND ended_at <= ? AND state IN (3, 4, 5) \
             ) ends GROUP BY day, state ORDER BY day, state",
            &[
                Value::Int(offset),
                Value::Int(offset),
                Value::Int(first),
                Value::Int(last),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::new(row);
            let start = columns.int()?;
            let state = columns.state(InstanceState::from_code)?;
            Ok((name(start), state, columns.bits()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_follows_the_offset_over_midnight() {
        assert_eq!(day(0, 0), "1970-01-01");
        assert_eq!(day(0, -1), "1969-12-31");
        assert_eq!(day(DAY_MS - 1000, 8 * 3600), "1970-01-02");
    }
}
