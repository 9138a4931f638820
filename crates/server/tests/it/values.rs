//! Values between nodes and runs, nested runs and waits, by the real programs and the examples.

use std::path::Path;

use serde_json::json;

use crate::harness::{Api, Place, assert_all_succeeded, node, script, workflow};

/// Drops examples into the watched directory.
pub(crate) fn drop_examples(place: &Place, api: &Api, names: &[&str]) {
    for name in names {
        let example =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../examples/{name}.xml"));
        std::fs::copy(example, place.path("xmlconfig").join(format!("{name}.xml"))).unwrap();
    }
    for name in names {
        api.wait_for_workflow(name);
    }
}

#[test]
fn a_script_hands_a_value_to_the_next() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let first = script("a", "echo rows=42 >> $AKKAFLOW_OUTPUT", "b")
        .replace("<ok", "<output name='rows' type='integer'/><ok");
    let second = script("b", "echo got ${output:a.rows}", "end");
    let xml = workflow("hands", "a", &format!("{first}{second}"));
    let (status, body) = api.put_workflow(&xml);
    assert_eq!(status, 200, "{body}");
    let id = api.run("hands");
    let instance = api.wait_for_end(&id);
    assert_all_succeeded(&instance, 2);
    assert_eq!(node(&instance, "a")["outputs"], json!({"rows": "42"}));
    api.wait(&format!("/api/v1/instances/{id}/logs"), |_, lines| {
        let text = lines.to_string();
        text.contains("got 42") && text.contains("rows=42")
    });
}

#[test]
fn an_sql_hands_on_the_first_row_of_its_last_query() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let nodes =
        "<action name='q'><sql db-link='local'>select 1 as n; select 7 as n, 'x' as other</sql>\
                 <output name='n' type='integer'/><ok to='b'/></action>"
            .to_owned()
            + &script("b", "test ${output:q.n} = 7", "end");
    let (status, body) = api.put_workflow(&workflow("rows", "q", &nodes));
    assert_eq!(status, 200, "{body}");
    let id = api.run("rows");
    assert_all_succeeded(&api.wait_for_end(&id), 2);
}

#[test]
fn the_state_example_goes_on_where_it_stopped() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["state"]);
    let path = "/api/v1/workflows/state/state";
    assert_eq!(api.get(path).1[0]["value"], "0");
    let id = api.run("state");
    assert_all_succeeded(&api.wait_for_end(&id), 1);
    let (_, values) = api.get(path);
    assert_eq!(
        (&values[0]["value"], &values[0]["instance"]),
        (&json!("100"), &json!(id))
    );
    let id = api.run("state");
    let instance = api.wait_for_end(&id);
    assert_eq!(instance["state_values"], json!({"last_id": "100"}));
}

#[test]
fn the_examples_of_typed_parameters_and_sub_workflows_run() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["typed_params", "sub_workflow"]);
    let (status, body) = api.post("/api/v1/workflows/typed_params/runs", &json!({}));
    assert_eq!(status, 400, "{body}");
    assert!(body.to_string().contains("region"), "{body}");
    let id = api.run("sub_workflow");
    let instance = api.wait_for_end(&id);
    assert_all_succeeded(&instance, 1);
    let child = node(&instance, "north")["child"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, child) = api.get(&format!("/api/v1/instances/{child}"));
    assert_eq!(
        (&child["state"], &child["trigger"]),
        (&json!("succeeded"), &json!("sub_workflow"))
    );
    assert_eq!(child["parent"]["instance"], json!(id));
    assert_eq!(child["params"]["region"], "cn-1");
}

#[test]
fn the_example_of_waits_comes_to_its_end() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["wait"]);
    let id = api.run("wait");
    let instance = api.wait_for_end(&id);
    assert_eq!(instance["state"], "succeeded", "{instance}");
    let attempts = |name| node(&instance, name)["attempts"].as_u64();
    assert_eq!(
        (attempts("pause"), attempts("file")),
        (Some(0), Some(2)),
        "a file is looked at twice"
    );
}
