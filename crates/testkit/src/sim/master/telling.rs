//! Inputs and rows as lines of a trace.

use akkaflow_engine::Input;
use akkaflow_model::record::Record;
use akkaflow_model::time::Timestamp;

pub(super) fn format_input(is_told: bool, input: &Input) -> String {
    if !is_told {
        return String::new();
    }
    let mut text = serde_json::to_string(input).unwrap_or_default();
    text.truncate(text.floor_char_boundary(240));
    text
}

pub(super) fn format_records(is_told: bool, records: &[Record]) -> String {
    let mut text = String::new();
    if !is_told {
        return text;
    }
    for record in records {
        let line = match record {
            Record::Instance(row) => {
                format!(
                    "[{} {:?} ending {:?}]",
                    row.id.short(),
                    row.state,
                    row.ending
                )
            }
            Record::Node(row) => format!(
                "[{}/{} {:?} deadline {:?} retry {:?}]",
                row.instance.short(),
                row.node,
                row.state,
                row.deadline.map(Timestamp::as_millis),
                row.retry_at.map(Timestamp::as_millis)
            ),
            Record::Attempt(row) => {
                format!(
                    "[{} {:?} on {} cancel {:?}]",
                    row.key, row.state, row.worker, row.cancel
                )
            }
            other => {
                let mut text = serde_json::to_string(other).unwrap_or_default();
                text.truncate(text.floor_char_boundary(160));
                text
            }
        };
        text.push_str(&line);
    }
    text
}
