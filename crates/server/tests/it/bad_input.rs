use crate::harness::{
    Place, Program, assert_all_succeeded, chain_of, node, node_state, script, workflow,
};

#[test]
fn a_broken_file_is_shown_with_its_place_and_harms_no_other() {
    let place = Place::new();
    place.drop_file("good", &chain_of("good", 2));
    place.drop_file(
        "broken",
        "<work-flow name=\"broken\">\n  <start name=\"s\" to=\"nowhere\"/>\n</work-flow>",
    );
    let (_server, api) = place.standalone();
    let problems = api.wait("/api/v1/file-problems", |_, body| {
        body.as_array().is_some_and(|rows| !rows.is_empty())
    });
    let findings = problems[0]["diagnostics"].as_array().unwrap();
    let edge = findings.iter().find(|found| found["code"] == "AF304");
    assert_eq!(edge.unwrap()["line"], 2, "{problems}");
    api.wait_for_workflow("good");
    let id = api.run("good");
    assert_all_succeeded(&api.wait_for_end(&id), 2);
    place.drop_file("broken", &chain_of("broken", 1));
    api.wait_for_workflow("broken");
    api.wait("/api/v1/file-problems", |_, body| {
        body.as_array().is_some_and(Vec::is_empty)
    });
}

#[test]
fn a_wrong_version_of_a_file_leaves_the_last_good_one_in_force() {
    let place = Place::new();
    place.drop_file("flow", &chain_of("flow", 2));
    let (_server, api) = place.standalone();
    api.wait_for_workflow("flow");
    place.drop_file("flow", "<work-flow name=\"flow\">");
    api.wait("/api/v1/file-problems", |_, body| {
        body.as_array().is_some_and(|rows| !rows.is_empty())
    });
    let id = api.run("flow");
    assert_all_succeeded(&api.wait_for_end(&id), 2);
}

#[test]
fn a_missing_link_an_unreachable_database_and_a_failing_script_say_what_to_do() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("data/config")).unwrap();
    std::fs::write(
        place.path("data/config/db_links.xml"),
        r#"<db-links><link name="away" type="MYSQL" jdbc-url="jdbc:mysql://127.0.0.1:9/dw" username="u" password="hidden-password"/></db-links>"#,
    )
    .unwrap();
    let (server, api) = place.standalone();
    let sql = |link: &str| {
        format!(r#"<action name="a"><sql db-link="{link}">select 1</sql><ok to="end"/></action>"#)
    };
    assert_eq!(
        api.put_workflow(&workflow("missing", "a", &sql("nope"))).0,
        200
    );
    assert_eq!(
        api.put_workflow(&workflow("away", "a", &sql("away"))).0,
        200
    );
    assert_eq!(
        api.put_workflow(&workflow(
            "fails",
            "a",
            &script("a", "echo reason >&2; exit 7", "end")
        ))
        .0,
        200
    );
    for (name, words) in [
        ("missing", vec!["nope", "db_links.xml"]),
        ("away", vec!["127.0.0.1:9"]),
        ("fails", vec!["7", "reason"]),
    ] {
        let id = api.run(name);
        let instance = api.wait_for_end(&id);
        assert_eq!(node_state(&instance, "a"), "failed", "{instance}");
        let message = node(&instance, "a")["message"].as_str().unwrap().to_owned();
        for word in words {
            assert!(message.contains(word), "`{word}` is missing in: {message}");
        }
        assert!(
            !api.text(&format!("/api/v1/instances/{id}/logs"))
                .contains("hidden-password")
        );
    }
    assert!(!server.log().contains("hidden-password"));
}

#[test]
fn a_node_for_a_host_that_is_not_there_waits_with_a_reason() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let nodes = r#"<action name="a" host="nowhere"><shell><command>true</command></shell><ok to="end"/></action>"#;
    assert_eq!(api.put_workflow(&workflow("far", "a", nodes)).0, 200);
    let id = api.run("far");
    let reasons = api.wait(&format!("/api/v1/instances/{id}/explain"), |_, body| {
        body.to_string().contains("nowhere")
    });
    assert!(reasons.to_string().contains("nowhere"));
    assert_eq!(
        api.post(
            &format!("/api/v1/instances/{id}/kill"),
            &serde_json::json!({})
        )
        .0,
        200
    );
    assert_eq!(api.wait_for_end(&id)["state"], "killed");
}

#[test]
fn a_taken_port_a_wide_bind_and_a_data_directory_that_cannot_be_written_are_clear_errors() {
    let place = Place::new();
    let (server, _api) = place.standalone();
    let taken = server.ready.trim_start_matches("http://").to_owned();
    let start = |log: &str, http: &str, data: &str| {
        let arguments = [
            "--data-dir",
            data,
            "--http",
            http,
            "--workflows",
            &place.text("xmlconfig"),
        ];
        match Program::try_start(
            env!("CARGO_BIN_EXE_akkaflow-standalone"),
            &place.path(log),
            &arguments,
        ) {
            Ok(_) => panic!("started although it cannot"),
            Err(said) => said,
        }
    };
    let said = start("taken.log", &taken, &place.text("data2"));
    assert!(said.contains(&taken), "{said}");
    let said = start("wide.log", "0.0.0.0:0", &place.text("data3"));
    assert!(
        said.contains("loopback") || said.contains("127.0.0.1"),
        "{said}"
    );
    let said = start("unwritable.log", "127.0.0.1:0", "/proc/no");
    assert!(
        said.contains("/proc/no") && said.contains("--data-dir"),
        "{said}"
    );
    let said = start("second.log", "127.0.0.1:0", &place.text("data"));
    assert!(said.contains("data"), "{said}");
}
