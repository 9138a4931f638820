//! Mails of the real programs, read back from a real mail server.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Api, Place, Program, assert_all_succeeded};
use crate::values::drop_examples;

/// The folder and the port for this machine alone of the mail server that the test script has started.
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn mail_server() -> Option<(PathBuf, u16)> {
    let Ok(words) = std::env::var("AKKAFLOW_TEST_SMTP") else {
        let must = std::env::var_os("AKKAFLOW_TEST_REQUIRE_SERVERS").is_some();
        assert!(!must, "AKKAFLOW_TEST_SMTP is not set");
        eprintln!("SKIPPED: AKKAFLOW_TEST_SMTP names no mail server; ./sbin/test starts one");
        return None;
    };
    let mut words = words.rsplitn(4, ' ');
    let plain = words.next().unwrap().parse().unwrap();
    Some((words.nth(2).unwrap().into(), plain))
}

/// A standalone server that sends its mails to a port of this machine.
fn standalone(place: &Place, port: u16) -> (Program, Api) {
    let config = place.path("akkaflow.toml");
    let text = format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"akkaflow@example.com\"\nlanguage = \"en\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let arguments = [
        "--config",
        &place.text("akkaflow.toml"),
        "--data-dir",
        &place.text("data"),
        "--http",
        "127.0.0.1:0",
        "--workflows",
        &place.text("xmlconfig"),
    ];
    let log = place.path("standalone.log");
    let program = Program::start(env!("CARGO_BIN_EXE_akkaflow-standalone"), &log, &arguments);
    let url = program.ready.clone();
    (program, Api { url })
}

/// Texts of the mails about an instance that the server has taken.
fn taken(folder: &std::path::Path, instance: &str) -> Vec<String> {
    let id = format!("Message-ID: <{instance}.");
    let files = std::fs::read_dir(folder.join("mail/new")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.filter(|text| text.contains(&id)).collect()
}

fn wait_for_mail(api: &Api, id: &str, state: &str) -> Value {
    let path = format!("/api/v1/mails?instance={id}");
    let found = api.wait(&path, |_, body| {
        body["mails"]
            .as_array()
            .is_some_and(|mails| mails.iter().any(|mail| mail["state"] == state))
    });
    found["mails"][0].clone()
}

#[test]
fn without_a_mail_server_mails_stay_visible() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    drop_examples(&place, &api, &["email"]);
    let id = api.run("email");
    assert_all_succeeded(&api.wait_for_end(&id), 1);
    let mail = wait_for_mail(&api, &id, "waiting");
    assert_eq!(mail["kind"], "notice");
    assert_eq!(
        mail["receivers"],
        json!(["etl@example.com", "ops@example.com"])
    );
    assert_eq!(mail["subject"], "【Akkaflow】notice: email");
    let (status, list) = api.get("/api/v1/mails");
    assert_eq!((status, &list["mail_server"]), (200, &Value::Null));
    let key = mail["id"].as_str().unwrap();
    let (status, shown) = api.get(&format!("/api/v1/mails/{key}"));
    assert_eq!(status, 200, "{shown}");
    assert!(
        shown["html"]
            .as_str()
            .unwrap()
            .contains("42 rows were loaded")
    );
    let (status, _) = api.post(&format!("/api/v1/mails/{key}/send"), &json!({}));
    assert_eq!(status, 204);
    let (status, _) = api.get("/api/v1/mails/nonsense");
    assert_eq!(status, 404);
}

#[test]
fn a_mail_waits_for_a_server_that_is_down_and_is_sent_once() {
    let Some((folder, port)) = mail_server() else {
        return;
    };
    let place = Place::new();
    // A port that nobody listens on.
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let (server, api) = standalone(&place, closed);
    drop_examples(&place, &api, &["email"]);
    let id = api.run("email");
    api.wait_for_end(&id);
    let path = format!("/api/v1/mails?instance={id}");
    let waiting = api.wait(&path, |_, body| {
        body["mails"][0]["tries"].as_u64() > Some(0)
    });
    let mail = &waiting["mails"][0];
    assert_eq!(mail["state"], "waiting");
    let error = mail["error"].as_str().unwrap();
    assert!(error.contains(&format!("127.0.0.1:{closed}")), "{error}");
    assert_eq!(server.stop(), Some(0));
    let (_server, api) = standalone(&place, port);
    let mail = wait_for_mail(&api, &id, "sent");
    assert_eq!(
        mail["accepted"],
        json!(["etl@example.com", "ops@example.com"])
    );
    assert_eq!(taken(&folder, &id).len(), 1);
    // Whoever asks for it again gets it again, under the same name.
    let key = mail["id"].as_str().unwrap();
    let (status, body) = api.post(&format!("/api/v1/mails/{key}/send"), &json!({"user": "王"}));
    assert_eq!(status, 204, "{body}");
    crate::harness::wait_until("the second mail", || taken(&folder, &id).len() == 2);
}

#[test]
fn the_end_of_a_failed_instance_reaches_its_own_people_and_those_downstream() {
    let Some((folder, port)) = mail_server() else {
        return;
    };
    let place = Place::new();
    let (_server, api) = standalone(&place, port);
    let upstream = r#"<work-flow name="up" mail-receivers="up@example.com"><start name="s" to="a"/>
        <action name="a"><script><code>echo no disk; exit 3</code></script><ok to="e"/></action><end name="e"/></work-flow>"#;
    let downstream = r#"<work-flow name="down" mail-receivers="down@example.com,refused@example.com">
        <coordinator><depend-list><workflow name="up"/></depend-list></coordinator>
        <start name="s" to="e"/><end name="e"/></work-flow>"#;
    for xml in [upstream, downstream] {
        let (status, body) = api.put_workflow(xml);
        assert_eq!(status, 200, "{body}");
    }
    let id = api.run("up");
    assert_eq!(api.wait_for_end(&id)["state"], "failed");
    let mail = wait_for_mail(&api, &id, "dead");
    assert_eq!(
        mail["accepted"],
        json!(["up@example.com", "down@example.com"])
    );
    assert_eq!(mail["refused"][0]["receiver"], "refused@example.com");
    let [text] = &taken(&folder, &id)[..] else {
        panic!("it came {} times", taken(&folder, &id).len());
    };
    assert!(text.contains("X-Envelope-To: up@example.com,down@example.com"));
    let (_, shown) = api.get(&format!("/api/v1/mails/{}", mail["id"].as_str().unwrap()));
    let words = shown["text"].as_str().unwrap();
    for part in ["no disk", "down@example.com", "workflow failed: up"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}
