//! The shapes that callers rely on.

use akkaflow_api::{InstanceDetail, LogLine, Params, Run, Time};
use akkaflow_model::time::Timestamp;
use serde_json::{Value, json};

#[test]
fn params_keep_their_order_and_take_numbers() {
    let run: Run = serde_json::from_str(r#"{"params":{"z":"1","a":2,"m":true}}"#).unwrap();
    let expected = [("z", "1"), ("a", "2"), ("m", "true")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(run.params, Params(expected.to_vec()));
    assert_eq!(
        serde_json::to_string(&run).unwrap(),
        r#"{"params":{"z":"1","a":"2","m":"true"}}"#
    );
}

#[test]
fn a_misspelt_key_of_a_request_is_refused() {
    let error = serde_json::from_str::<Run>(r#"{"param":{}}"#).unwrap_err();
    assert!(error.to_string().contains("param"), "{error}");
}

#[test]
fn moments_are_utc_with_milliseconds_and_read_back() {
    let time = Time(Timestamp::from_millis(1_795_237_140_123));
    let text = serde_json::to_value(time).unwrap();
    assert_eq!(text, json!("2026-11-21T04:59:00.123Z"));
    assert_eq!(serde_json::from_value::<Time>(text).unwrap(), time);
    assert_eq!(Time::parse("2026-11-21T12:59:00.123+08:00"), Some(time));
}

#[test]
fn an_instance_has_the_documented_keys() {
    let mut body = json!({
        "id": "019200000000", "short_id": "00000000", "workflow": "w", "state": "running", "run": 1, "trigger": "run",
        "fire_time": "2026-11-21T04:59:00.000Z", "created_at": "2026-11-21T04:59:00.000Z", "started_at": null,
        "ended_at": null, "message": null, "handled_errors": false, "dir": "/tmp", "creator": "me", "params": {},
        "version": "0", "ending": null, "desc": null, "mail_level": ["failed"], "mail_receivers": [],
        "instance_limit": 1, "hold": null, "asked_by": null, "backfill": null,
        "parent": null, "state_values": {},
        "nodes": [{"name": "a", "type": "script", "state": "skipped", "attempts": 0, "worker": null,
            "child": null, "outputs": {},
            "started_at": null, "ended_at": null, "message": null, "desc": null, "retry_at": null}]
    });
    body["landing"] = json!({
        "deadline": "2026-11-21T05:59:00.000Z", "missed": null,
        "late": {
            "at": "2026-11-21T05:30:00.000Z", "run": 1, "expected": "2026-11-21T06:10:00.000Z", "node": "a",
            "behind_seconds": null, "critical_path": ["a"], "text": "late"
        }
    });
    let detail: InstanceDetail = serde_json::from_value(body.clone()).unwrap();
    assert_eq!(serde_json::to_value(detail).unwrap(), body);
}

#[test]
fn a_log_line_says_null_where_it_belongs_to_no_node() {
    let body: Value = json!({
        "time": "2026-11-21T04:59:00.000Z", "level": "INFO", "node": null, "attempt": null, "text": "x"
    });
    let line: LogLine = serde_json::from_value(body.clone()).unwrap();
    assert_eq!(serde_json::to_value(line).unwrap(), body);
}
