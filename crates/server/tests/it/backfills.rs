use crate::harness::{Api, Place, script, wait_until, workflow};
use serde_json::{Value, json};

/// Ten days that have passed, whatever the clock says.
const FROM: &str = "2026-01-01";
const TO: &str = "2026-01-10";

/// Says its date to the witness, and waits while there is a file `stop`.
fn dated(place: &Place, name: &str, after: &str) -> String {
    let (witness, stop) = (place.text("witness"), place.text("stop"));
    let code = format!(
        "while [ -e {stop} ]; do sleep 0.05; done\necho {name} ${{param:day}} >> {witness}"
    );
    let coordinator = format!(
        r#"<coordinator>{after}<param-list><param name="day" value="${{time.today|yyyy-MM-dd}}"/></param-list></coordinator>"#
    );
    workflow(name, "a", &script("a", &code, "end"))
        .replace("<start", &format!("{coordinator}<start"))
        .replace("<work-flow", r#"<work-flow instance-limit="3""#)
}

fn ask(api: &Api, more: Value) -> (u16, Value) {
    let mut body =
        json!({"workflow": "up", "from": FROM, "to": TO, "dependants": true, "max_parallel": 3});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    api.post("/api/v1/backfills", &body)
}

fn lines(place: &Place) -> Vec<String> {
    let said = std::fs::read_to_string(place.path("witness")).unwrap_or_default();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_backfill_outlives_its_server_and_runs_each_date_once_after_its_upstream() {
    let place = Place::new();
    let (server, api) = place.standalone();
    assert_eq!(api.put_workflow(&dated(&place, "up", "")).0, 200);
    let after = r#"<depend-list><workflow name="up"/></depend-list>"#;
    let (status, said) = api.put_workflow(&dated(&place, "down", after));
    assert_eq!(status, 200, "{said}");
    // One date is good already.
    let good = api.post("/api/v1/workflows/up/runs", &json!({"date": "2026-01-04"}));
    api.wait_for_end(good.1["id"].as_str().unwrap());
    let (status, plan) = ask(&api, json!({"dry_run": true}));
    assert_eq!(
        (status, plan["runs"].as_array().unwrap().len()),
        (200, 20),
        "{plan}"
    );
    assert_eq!(plan["runs"][6]["state"], "good", "{plan}");
    std::fs::write(place.path("stop"), "").unwrap();
    let (status, started) = ask(&api, json!({"reason": "late data"}));
    assert_eq!(status, 201, "{started}");
    let path = format!("/api/v1/backfills/{}", started["id"].as_str().unwrap());
    api.wait(&path, |_, body| body["runs"]["running"] == 3);
    let (_, reasons) = api.get(&format!("{path}/explain?run=19"));
    assert_eq!(reasons[0]["code"], "backfill_upstream", "{reasons}");
    server.kill();
    let (_server, api) = place.standalone();
    let (_, detail) = api.get(&path);
    assert_eq!(
        (&detail["runs"]["running"], &detail["reason"]),
        (&json!(3), &json!("late data"))
    );
    assert_eq!(
        api.post(&format!("{path}/pause"), &json!({"user": "ann"}))
            .0,
        200
    );
    std::fs::remove_file(place.path("stop")).unwrap();
    // What ran has finished; nothing else begins.
    let paused = api.wait(&path, |_, body| body["runs"]["running"] == 0);
    assert_eq!(
        (&paused["state"], &paused["runs"]["waiting"]),
        (&json!("running"), &json!(16))
    );
    assert_eq!(api.post(&format!("{path}/resume"), &json!({})).0, 200);
    let ended = api.wait(&path, |_, body| body["state"] != "running");
    assert_eq!(
        (&ended["state"], &ended["runs"]["succeeded"]),
        (&json!("succeeded"), &json!(19))
    );
    check(&lines(&place));
    let (_, list) = api.get("/api/v1/backfills");
    assert_eq!(list.as_array().unwrap().len(), 1, "it stays visible");
}

/// Each date of each workflow once, the upstream's first.
fn check(said: &[String]) {
    assert_eq!(said.len(), 20, "{said:?}");
    for day in 1..=10 {
        let place_of = |name: &str| {
            let line = format!("{name} 2026-01-{day:02}");
            said.iter()
                .position(|it| *it == line)
                .unwrap_or_else(|| panic!("{line}: {said:?}"))
        };
        assert!(place_of("up") < place_of("down"), "{said:?}");
    }
}

#[test]
fn an_aborted_backfill_kills_what_runs_if_it_shall() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    assert_eq!(api.put_workflow(&dated(&place, "up", "")).0, 200);
    std::fs::write(place.path("stop"), "").unwrap();
    let (_, started) = ask(&api, json!({}));
    let path = format!("/api/v1/backfills/{}", started["id"].as_str().unwrap());
    api.wait(&path, |_, body| body["runs"]["running"] == 3);
    for _ in 0..2 {
        let (status, body) = api.post(
            &format!("{path}/abort"),
            &json!({"kill": true, "user": "ann"}),
        );
        assert_eq!(status, 200, "{body}");
    }
    let ended = api.wait(&path, |_, body| body["state"] != "running");
    assert_eq!(
        (&ended["state"], &ended["runs"]["failed"]),
        (&json!("aborted"), &json!(3))
    );
    wait_until("nothing is left", || {
        api.get("/api/v1/front").1["running"] == json!([])
    });
    assert_eq!(lines(&place).len(), 0);
    let again = api.post(&format!("{path}/abort"), &json!({}));
    assert_eq!(again.0, 200, "a repeated request: {}", again.1);
    let late = api.post(&format!("{path}/pause"), &json!({}));
    assert_eq!((late.0, &late.1["code"]), (409, &json!("conflict")));
}
