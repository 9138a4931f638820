use crate::harness::{Place, script};

/// Fires each second on the days that a calendar leaves.
fn by_calendar() -> String {
    let coordinator =
        r#"<coordinator start-time="2026-01-01 00:00:00" every="1s" calendar="days"/>"#;
    let nodes = script("a", "true", "end");
    format!(
        r#"<work-flow name="timed" overlap="skip">{coordinator}<start name="start" to="a"/>{nodes}<end name="end"/></work-flow>"#
    )
}

#[test]
fn a_schedule_waits_for_its_calendar_and_fires_once_the_file_is_there() {
    let place = Place::new();
    place.drop_file("timed", &by_calendar());
    let (server, api) = place.standalone();
    api.wait_for_workflow("timed");
    let reasons = api.get("/api/v1/workflows/timed/explain").1;
    assert_eq!(reasons[0]["code"], "calendar_missing", "{reasons}");
    let file = place.path("xmlconfig").join("days.calendar");
    std::fs::write(&file, "weekend none\n").unwrap();
    api.wait("/api/v1/instances?workflow=timed", |_, body| {
        let rows = body.as_array().map_or(&[][..], Vec::as_slice);
        rows.iter()
            .filter(|row| row["state"] == "succeeded")
            .count()
            >= 2
    });
    let schedule = api.get("/api/v1/workflows/timed").1["schedule"].clone();
    assert_eq!(
        schedule["next_fires"].as_array().unwrap().len(),
        10,
        "{schedule}"
    );
    server.kill();
    std::fs::write(&file, "weekend mon tue wed thu fri sat sun\n").unwrap();
    let (_server, api) = place.standalone();
    api.wait("/api/v1/workflows/timed", |_, body| {
        body["schedule"]["next_fires"] == serde_json::json!([])
    });
}
