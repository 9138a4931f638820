use crate::harness::{
    Place, Program, assert_all_succeeded, chain_of, node, node_state, script, wait_until, workflow,
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
    for path in [
        format!("/api/v1/instances/{id}/explain"),
        "/api/v1/workflows/far/explain".to_owned(),
        format!("/api/v1/instances/{id}/logs"),
    ] {
        api.wait(&path, |_, body| body.to_string().contains("host `nowhere`"));
    }
    let instance = api.wait(&format!("/api/v1/instances/{id}"), |_, _| true);
    let message = node(&instance, "a")["message"].as_str().unwrap();
    assert!(message.contains("the attached hosts are: "), "{message}");
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
    assert!(
        said.contains(&taken) && said.contains("--http") && said.contains("http.listen"),
        "{said}"
    );
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
    let pid = std::fs::read_to_string(place.path("data/worker/worker.lock")).unwrap();
    assert!(
        said.contains(&format!("another akkaflow process (pid {})", pid.trim()))
            && said.contains("--data-dir")
            && said.contains("另一个akkaflow进程"),
        "{said}"
    );
}

#[test]
fn a_mistyped_workflow_directory_is_refused_and_not_made() {
    let place = Place::new();
    let start = |workflows: &str| {
        let arguments = [
            "--data-dir",
            &place.text("data"),
            "--http",
            "127.0.0.1:0",
            "--workflows",
            workflows,
        ];
        Program::try_start(
            env!("CARGO_BIN_EXE_akkaflow-standalone"),
            &place.path("typo.log"),
            &arguments,
        )
        .err()
        .expect("started although it cannot")
    };
    let said = start(&place.text("typo"));
    assert!(
        said.contains(&place.text("typo")) && said.contains("does not exist"),
        "{said}"
    );
    assert!(!place.path("typo").exists());
    std::fs::write(place.path("file"), "").unwrap();
    let said = start(&place.text("file"));
    assert!(said.contains("is not a directory"), "{said}");
}

#[test]
fn the_file_of_a_deleted_workflow_is_no_error_at_the_next_start_and_stays_out_until_it_changes_or_is_dropped_again()
 {
    let place = Place::new();
    place.drop_file("gone", &chain_of("gone", 1));
    let (server, api) = place.standalone();
    api.wait_for_workflow("gone");
    assert_eq!(api.delete("/api/v1/workflows/gone").0 / 100, 2);
    server.stop();
    let (server, api) = place.standalone();
    place.drop_file("other", &chain_of("other", 1));
    api.wait_for_workflow("other");
    assert_eq!(api.get("/api/v1/workflows/gone").0, 404);
    assert_eq!(
        api.get("/api/v1/file-problems").1,
        serde_json::json!([]),
        "{}",
        server.log()
    );
    let log = server.log();
    assert!(!log.contains("AF000"), "{log}");
    assert_eq!(log.matches("once its content changes").count(), 1, "{log}");
    let told = api.get("/api/v1/workflows/gone").1.to_string();
    assert!(told.contains("gone.xml has not changed since"), "{told}");
    place.drop_file("gone", &chain_of("gone", 2));
    api.wait_for_workflow("gone");
    // The same content again, and under another name.
    assert_eq!(api.delete("/api/v1/workflows/gone").0 / 100, 2);
    await_the_clock_of_files(&place);
    place.drop_file("gone", &chain_of("gone", 2));
    api.wait_for_workflow("gone");
    assert_eq!(api.delete("/api/v1/workflows/gone").0 / 100, 2);
    await_the_clock_of_files(&place);
    std::fs::rename(
        place.path("xmlconfig/gone.xml"),
        place.path("xmlconfig/elsewhere.xml"),
    )
    .unwrap();
    api.wait_for_workflow("gone");
}

/// Files get their times from a clock that goes in steps of some milliseconds: waits until it has passed this moment.
fn await_the_clock_of_files(place: &Place) {
    let now = std::time::SystemTime::now() + std::time::Duration::from_millis(1);
    wait_until("the clock of files has gone on", || {
        let path = place.path("clock");
        std::fs::write(&path, "").unwrap();
        std::fs::metadata(&path).unwrap().modified().unwrap() > now
    });
}

#[test]
fn a_broken_file_is_complained_of_once_for_each_content() {
    let place = Place::new();
    place.drop_file("broken", "<work-flow name=\"broken\">");
    let (server, api) = place.standalone();
    api.wait("/api/v1/file-problems", |_, body| {
        body.as_array().is_some_and(|rows| !rows.is_empty())
    });
    let complaints = || server.log().matches("cannot be used").count();
    for round in 0..3 {
        // The same content written again is an event like any other.
        place.drop_file("broken", "<work-flow name=\"broken\">");
        let name = format!("good{round}");
        place.drop_file(&name, &chain_of(&name, 1));
        api.wait_for_workflow(&name);
    }
    assert_eq!(complaints(), 1, "{}", server.log());
    place.drop_file("broken", "<work-flow name=\"other\">");
    wait_until("the new content is complained of", || complaints() == 2);
}

#[test]
fn an_unreachable_metadata_database_is_named_once_in_both_languages_without_its_password() {
    let place = Place::new();
    for (program, flag) in [
        (env!("CARGO_BIN_EXE_akkaflow-master"), "--listen"),
        (env!("CARGO_BIN_EXE_akkaflow-http-server"), "--http"),
    ] {
        let log = place.path("away.log");
        let arguments = [
            "--data-dir",
            &place.text("data"),
            "--workflows",
            &place.text("xmlconfig"),
            "--store",
            "mysql://root:hidden-password@127.0.0.1:9/flows",
            flag,
            "127.0.0.1:0",
        ];
        let said = Program::try_start(program, &log, &arguments)
            .err()
            .expect("started although it cannot");
        assert_eq!(said.matches("`flows` on 127.0.0.1:9").count(), 1, "{said}");
        assert_eq!(said.matches("flows（127.0.0.1:9）").count(), 1, "{said}");
        assert!(
            said.contains("`store`") && !said.contains("hidden-password"),
            "{said}"
        );
        std::fs::remove_file(log).unwrap();
    }
}

#[test]
fn a_gibibyte_and_a_second_file_of_a_name_are_shown_and_harm_no_other() {
    let place = Place::new();
    place.drop_file("good", &chain_of("good", 1));
    let (_server, api) = place.standalone();
    api.wait_for_workflow("good");
    place.drop_file("second", &chain_of("good", 2));
    let huge = std::fs::File::create(place.path("xmlconfig/huge.xml")).unwrap();
    huge.set_len(1 << 30).unwrap();
    let problems = api.wait("/api/v1/file-problems", |_, body| {
        body.as_array().is_some_and(|rows| rows.len() == 2)
    });
    let finding_of = |name: &str| {
        let mut rows = problems.as_array().unwrap().iter();
        let row = rows.find(|row| row["path"].as_str().unwrap().ends_with(name));
        row.unwrap()["diagnostics"][0].clone()
    };
    assert_eq!(finding_of("huge.xml")["code"], "AF001", "{problems}");
    let second = finding_of("second.xml");
    assert_eq!(
        (&second["code"], &second["line"]),
        (&"AF701".into(), &1.into()),
        "{problems}"
    );
    let id = api.run("good");
    assert_all_succeeded(&api.wait_for_end(&id), 1);
    // Once the first one is gone the second counts, though nobody has touched it.
    std::fs::remove_file(place.path("xmlconfig/good.xml")).unwrap();
    api.wait("/api/v1/workflows/good", |_, body| {
        let file = body["file"].as_str().unwrap_or_default();
        file.ends_with("second.xml") && body["status"] == "live"
    });
    let id = api.run("good");
    assert_all_succeeded(&api.wait_for_end(&id), 2);
}

#[test]
fn a_workflow_that_waits_for_what_never_comes_is_taken_with_a_warning() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let waiting = |name: &str, upstream: &str| {
        chain_of(name, 1).replacen(
            "<start",
            &format!("<coordinator><depend-list><workflow name=\"{upstream}\"/></depend-list></coordinator><start"),
            1,
        )
    };
    let codes = |(status, body): (u16, serde_json::Value)| -> Vec<String> {
        assert_eq!(status, 200, "{body}");
        let found = body["diagnostics"].as_array().unwrap().iter();
        found
            .map(|found| found["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(api.put_workflow(&waiting("a", "b"))), ["AF702"]);
    assert_eq!(codes(api.put_workflow(&waiting("b", "a"))), ["AF704"]);
    assert_eq!(codes(api.put_workflow(&chain_of("c", 1))), [""; 0]);
    assert_eq!(codes(api.put_workflow(&waiting("d", "c"))), ["AF703"]);
}

#[test]
fn a_pipe_a_loop_of_links_and_a_directory_named_as_a_file_stop_nothing() {
    let place = Place::new();
    place.drop_file("good", &chain_of("good", 1));
    let (server, api) = place.standalone();
    api.wait_for_workflow("good");
    let path = |name: &str| place.path("xmlconfig").join(name);
    let made = std::process::Command::new("mkfifo")
        .arg(path("pipe.xml"))
        .status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink("self.xml", path("self.xml")).unwrap();
    std::os::unix::fs::symlink(".", path("again")).unwrap();
    std::fs::create_dir(path("folder.xml")).unwrap();
    std::fs::write(path("folder.xml/inner.xml"), chain_of("inner", 1)).unwrap();
    api.wait_for_workflow("inner");
    // A pipe that were waited for would keep everything behind it waiting.
    place.drop_file("later", &chain_of("later", 1));
    api.wait_for_workflow("later");
    let problems = api.wait("/api/v1/file-problems", |_, body| {
        body.as_array().is_some_and(|rows| rows.len() >= 2)
    });
    let mut told: Vec<String> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let file = row["path"].as_str().unwrap().rsplit('/').next().unwrap();
            format!("{file} {}", row["diagnostics"][0]["code"].as_str().unwrap())
        })
        .collect();
    told.sort();
    assert_eq!(told, ["pipe.xml AF014", "self.xml AF014"], "{problems}");
    assert!(problems.to_string().contains("not a regular file"));
    // The next start finds all of it lying there.
    server.stop();
    place.drop_file("last", &chain_of("last", 1));
    let (_server, api) = place.standalone();
    api.wait_for_workflow("last");
    let problems = api.get("/api/v1/file-problems").1;
    assert_eq!(problems.as_array().unwrap().len(), 2, "{problems}");
}
