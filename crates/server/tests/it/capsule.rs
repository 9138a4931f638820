use akkaflow_actions::Registry;
use akkaflow_api::Capsule;
use akkaflow_engine::{Moment, Solo, decisions};
use akkaflow_model::read::read_unlinted;

use crate::harness::{Place, assert_all_succeeded, script, workflow};

/// Decides an instance again, step by step.
fn replay(capsule: &Capsule) {
    let registry = Registry::builtin();
    let definitions = capsule.definitions.iter().map(|definition| {
        let mut workflow = read_unlinted(definition.xml.as_bytes(), None, &registry).unwrap();
        workflow.version = definition.version.clone();
        workflow.into()
    });
    let zone = capsule.time_zone.parse().unwrap();
    let mut solo = Solo::new(capsule.instance, zone, definitions);
    assert!(!capsule.moments.is_empty());
    for moment in &capsule.moments {
        let moment: Moment = serde_json::from_value(moment.clone()).unwrap();
        let records = solo.step(&moment);
        assert_eq!(
            decisions(&records),
            moment.decisions,
            "{moment:?}: {records:?}"
        );
    }
    assert_eq!(solo.instance(), None, "it has ended");
}

#[test]
fn an_exported_instance_replays_to_the_same_decisions_without_its_secrets() {
    let place = Place::new();
    let once = place.path("once");
    let fails_once = format!(
        "export DB_PASSWORD=topsecretvalue; test -e {0} || {{ touch {0}; exit 3; }}",
        once.display()
    );
    let nodes = script("a", &fails_once, "b")
        .replace("name=\"a\"", "name=\"a\" retry-times=\"1\" interval=\"1\"")
        + &script("b", "echo topsecretvalue", "end");
    let id = {
        let (_server, api) = place.standalone();
        assert_eq!(api.put_workflow(&workflow("flow", "a", &nodes)).0, 200);
        let id = api.run("flow");
        api.wait_for_end(&id);
        id
    };
    // A rerun under another master, with another epoch.
    let (_server, api) = place.standalone();
    let path = format!("/api/v1/instances/{id}");
    assert_eq!(
        api.post(&format!("{path}/rerun"), &serde_json::json!({})).0,
        201
    );
    assert_all_succeeded(&api.wait_for_end(&id), 2);
    let (status, body) = api.get(&format!("{path}/capsule"));
    assert_eq!(status, 200, "{body}");
    assert!(!body.to_string().contains("topsecret"), "{body}");
    let capsule: Capsule = serde_json::from_value(body).unwrap();
    assert!(capsule.is_complete);
    assert_eq!(capsule.row.run, 2);
    replay(&capsule);
}
