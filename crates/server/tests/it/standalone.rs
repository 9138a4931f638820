use crate::harness::{Place, assert_all_succeeded, chain_of, fan_of, node, script, workflow};

#[test]
fn the_example_makes_a_file_and_loads_its_21_rows() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/load_data.xml");
    std::fs::copy(example, place.path("xmlconfig").join("load_data.xml")).unwrap();
    api.wait_for_workflow("load_data");
    let id = api.run("load_data");
    let instance = api.wait_for_end(&id);
    assert_all_succeeded(&instance, 3);
    let log = api.text(&format!("/api/v1/instances/{id}/logs"));
    assert!(log.contains("21"), "{log}");
}

#[test]
fn what_a_script_prints_is_in_the_log_byte_for_byte_but_for_what_is_no_text() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let code = r"printf '100%% 中文\n'; printf 'bin \377\001 end\n' >&2";
    place.drop_file(
        "prints",
        &workflow("prints", "a", &script("a", code, "end")),
    );
    api.wait_for_workflow("prints");
    let id = api.run("prints");
    assert_all_succeeded(&api.wait_for_end(&id), 1);
    api.wait(&format!("/api/v1/instances/{id}/logs"), |_, lines| {
        let texts: Vec<_> = lines
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|line| line["text"].as_str())
            .collect();
        texts.contains(&"100% 中文")
            && texts
                .iter()
                .any(|text| text.starts_with("bin \u{fffd}") && text.ends_with(" end"))
    });
}

#[test]
fn a_chain_of_40_and_1000_side_by_side_finish() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    assert_eq!(api.put_workflow(&chain_of("chain", 40)).0, 200);
    assert_eq!(api.put_workflow(&fan_of("fan", 1000)).0, 200);
    let (chain, fan) = (api.run("chain"), api.run("fan"));
    assert_all_succeeded(&api.wait_for_end(&chain), 40);
    assert_all_succeeded(&api.wait_for_end(&fan), 1000);
}

#[test]
fn a_killed_instance_leaves_no_process_behind() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let pids = place.text("pids");
    let code = format!(
        "echo $$ >> {pids}\n(setsid sleep 600 & echo $! >> {pids})\nsleep 600 & echo $! >> {pids}\nwait"
    );
    assert_eq!(
        api.put_workflow(&workflow("long", "a", &script("a", &code, "end")))
            .0,
        200
    );
    let id = api.run("long");
    let lines = || std::fs::read_to_string(&pids).unwrap_or_default();
    crate::harness::wait_until("the script has started", || lines().lines().count() == 3);
    let (status, body) = api.post(
        &format!("/api/v1/instances/{id}/kill"),
        &serde_json::json!({}),
    );
    assert_eq!(status, 200, "{body}");
    let (_, instance) = api.get(&format!("/api/v1/instances/{id}"));
    assert_eq!(instance["state"], "killed");
    assert_eq!(node(&instance, "a")["state"], "killed");
    for pid in lines().lines() {
        let alive = std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "));
        assert!(!alive, "process {pid} is still there");
    }
}

#[test]
fn sigterm_ends_the_server_in_order() {
    let place = Place::new();
    let (server, api) = place.standalone();
    assert_eq!(api.get("/readyz").0, 200);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_script_finds_no_setting_of_ours_in_the_process_that_started_it() {
    let place = Place::new();
    let secret = "AKKAFLOW_MAIL_PASSWORD=s3cret-of-ours";
    let (_server, api) = place.standalone_with(&[secret]);
    let code = "tr '\\0' '\\n' < /proc/$PPID/environ | grep -a AKKAFLOW_; env | grep s3cret; true";
    place.drop_file("peeks", &workflow("peeks", "a", &script("a", code, "end")));
    api.wait_for_workflow("peeks");
    let id = api.run("peeks");
    assert_all_succeeded(&api.wait_for_end(&id), 1);
    let log = api.text(&format!("/api/v1/instances/{id}/logs"));
    assert!(
        !log.contains("AKKAFLOW_") && !log.contains("s3cret"),
        "{log}"
    );
}
