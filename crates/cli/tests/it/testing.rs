//! `akka test`: workflows played with nodes that only pretend to run.

use super::{GOOD, akka, code, file, text};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/tests");

#[test]
fn every_example_of_a_test_passes() {
    for entry in std::fs::read_dir(EXAMPLES).unwrap() {
        let path = entry.unwrap().path();
        let output = akka("C", &["test", path.to_str().unwrap()]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains(" 0 failed"), "{said}");
    }
}

#[test]
fn what_is_not_as_expected_is_said_with_both_sides() {
    file("played.xml", GOOD);
    let path = file(
        "played.toml",
        r#"
        workflow = "played.xml"
        [[test]]
        name = "wrong in every way"
        params = { day = "1" }
        mock = { a = "failed" }
        [test.expect]
        state = "succeeded"
        path = ["start", "a", "end"]
        nodes = { a = "succeeded", end = "succeeded" }
        attempts = { a = 3 }
        params = { day = "2" }
        [[test]]
        name = "right"
        [test.expect]
        nodes = { "end" = "succeeded" }
        "#,
    );
    let output = akka("C", &["test", &path]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    for line in [
        "state: expected succeeded, found failed",
        "path: expected start → a → end, found start → a",
        "node a: expected succeeded, found failed",
        "node end: expected succeeded, found not-reached",
        "attempts of a: expected 3, found 1",
        "parameter day: expected 2, found 1",
        "1 passed, 1 failed",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let json = akka("C", &["test", &path, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report[0]["passed"], false);
    assert_eq!(report[1]["passed"], true);
}

#[test]
fn a_test_that_cannot_be_read_says_why() {
    file("named.xml", GOOD);
    let case = |body: &str| {
        let text = format!("workflow = \"named.xml\"\n[[test]]\nname = \"t\"\n{body}");
        file("named.toml", &text)
    };
    let path = case("[test.mock]\nb = \"failed\"");
    let output = akka("C", &["test", &path]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("no node `b`"), "{said}");
    assert_eq!(code(&["test", &case("[test.expect]\nstat = \"x\"")]), 2);
    assert_eq!(code(&["test", &case("date = \"tomorrow\"")]), 2);
    assert_eq!(code(&["test", "/nowhere.toml"]), 2);
    assert_eq!(code(&["test", &file("empty.toml", "workflow = \"x\"")]), 2);
    assert_eq!(code(&["replay", &file("no.json", "{}")]), 2);
}

#[test]
fn time_passes_only_in_the_play() {
    file(
        "slow.xml",
        r#"<work-flow name="slow"><start name="start" to="a"/>
        <action name="a" retry-times="2" interval="3600"><script><code>true</code></script><ok to="b"/></action>
        <action name="b" timeout="60"><script><code>true</code></script><ok to="end"/><error to="c"/></action>
        <action name="c"><script><code>true</code></script><ok to="end"/></action>
        <end name="end"/></work-flow>"#,
    );
    let path = file(
        "slow.toml",
        r#"
        workflow = "slow.xml"
        [[test]]
        name = "hours go by"
        [test.mock]
        a = ["failed", "lost", "succeeded"]
        b = { outcome = "succeeded", seconds = 7200 }
        [test.expect]
        state = "succeeded"
        path = ["start", "a", "b", "c", "end"]
        attempts = { a = 3, b = 1 }
        nodes = { b = "failed" }
        "#,
    );
    let output = akka("C", &["test", &path]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn what_the_nodes_ask_for_is_there() {
    file(
        "asking.xml",
        r#"<work-flow name="asking"><start name="start" to="a"/>
        <action name="a" host="far" worker-labels="gpu"><script><code>true</code></script><ok to="b"/></action>
        <action name="b" pool="licences" pool-slots="3"><script><code>true</code></script><ok to="end"/></action>
        <end name="end"/></work-flow>"#,
    );
    let path = file(
        "asking.toml",
        "workflow = \"asking.xml\"\n[[test]]\nname = \"all\"\n[test.expect]\nstate = \"succeeded\"",
    );
    let output = akka("C", &["test", &path]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn waits_pass_and_other_workflows_only_pretend() {
    file(
        "calling.xml",
        r#"<work-flow name="calling"><start name="start" to="w"/>
        <action name="w"><wait for="2h"/><ok to="f"/></action>
        <action name="f"><wait><file>/data/in</file></wait><ok to="s"/></action>
        <action name="s" retry-times="1"><sub-workflow workflow="elsewhere"/><ok to="end"/></action>
        <end name="end"/></work-flow>"#,
    );
    let path = file(
        "calling.toml",
        r#"
        workflow = "calling.xml"
        [[test]]
        name = "called twice"
        [test.mock]
        s = ["failed", "succeeded"]
        [test.expect]
        state = "succeeded"
        attempts = { w = 0, f = 1, s = 2 }
        "#,
    );
    let output = akka("C", &["test", &path]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let path = file(
        "undeclared.toml",
        "workflow = \"calling.xml\"\n[[test]]\nname = \"t\"\n[test.mock]\ns = { outputs = { rows = 1 } }",
    );
    let output = akka("C", &["test", &path]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("node `s` declares no output `rows`"),
        "{said}"
    );
}
