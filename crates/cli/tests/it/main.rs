//! The program as people start it, without any server or with one that says what the test wants.

mod cron;
mod faces;
mod format;
mod scripts;
mod server;

use std::process::{Command, Output};

mod wrong;

/// Nothing listens here.
const NOBODY: &str = "http://127.0.0.1:9";

const GOOD: &str = r#"<work-flow name="w"><start name="start" to="a"/><action name="a"><script><code>true</code></script><ok to="end"/></action><end name="end"/></work-flow>"#;

fn akka(lang: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_akka"))
        .args(arguments)
        .env_remove("AKKAFLOW_LANG")
        .env("AKKAFLOW_SERVER", NOBODY)
        .env("LC_ALL", lang)
        .output()
        .expect("the program was built")
}

#[track_caller]
fn code(arguments: &[&str]) -> i32 {
    akka("C", arguments)
        .status
        .code()
        .expect("it was not killed")
}

fn file(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the directory is cargo's");
    path.to_string_lossy().into_owned()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn alone_it_explains_itself_in_the_language_of_the_user() {
    let output = akka("zh_CN.UTF-8", &[]);
    assert_eq!(output.status.code(), Some(1));
    for heading in ["【使用】", "【说明】", "【示例】"] {
        assert!(text(&output.stdout).contains(heading), "{heading}");
    }
    assert!(text(&akka("C", &[]).stdout).contains("USAGE"));
}

#[test]
fn exit_codes_tell_usage_from_absence() {
    assert_eq!(code(&["fly"]), 2);
    assert_eq!(code(&["workflow", "-info"]), 2);
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&["workflow", "run", "--help"]), 0);
    assert_eq!(code(&["front"]), 5);
    assert_eq!(code(&["workflow", "-del", "w"]), 5);
    assert_eq!(code(&["workflow", "check", "/nowhere.xml"]), 3);
    assert_eq!(code(&["completions", "bash"]), 0);
}

#[test]
fn without_a_server_it_says_what_to_do() {
    let output = akka("C", &["front"]);
    let said = text(&output.stderr);
    assert!(
        said.contains(NOBODY) && said.contains("AKKAFLOW_SERVER"),
        "{said}"
    );
    assert!(output.stdout.is_empty());
    let said = text(&akka("C", &["workflow", "-del", "w"]).stderr);
    assert!(
        said.contains("无法连接"),
        "akkaflow's form is Chinese: {said}"
    );
}

#[test]
fn a_file_is_checked_without_a_server() {
    let good = file("good.xml", GOOD);
    let output = akka("C", &["workflow", "-check", &good]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains("xml解析成功"));
    let output = akka("C", &["workflow", "check", &good]);
    assert!(text(&output.stdout).contains("workflow `w` is fine"));
}

#[test]
fn every_mistake_of_a_file_is_shown_at_its_place() {
    let bad = GOOD.replace("to=\"end\"", "to=\"nowhere\"");
    let bad = file(
        "bad.xml",
        &bad.replace("name=\"a\"", "name=\"a\" retry-times=\"三\""),
    );
    for command in ["-check", "check", "-add", "add"] {
        let output = akka("C", &["workflow", command, &bad]);
        assert_eq!(output.status.code(), Some(1), "{command}");
        let said = text(&output.stdout);
        assert!(said.matches(&format!("{bad}:1:")).count() >= 2, "{said}");
    }
    let output = akka("C", &["workflow", "check", "--json", &bad]);
    assert!(text(&output.stdout).starts_with("{\"diagnostics\":["));
}
