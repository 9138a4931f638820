//! `akka fmt` on real files.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CROOKED: &str = "<work-flow name=\"w\">\n<start name=\"s\" to=\"a\"/>\n    <action name=\"a\"><script><code>\nif x\n</code></script>\n<ok to=\"e\"/></action>\n<end name=\"e\"/>\n</work-flow>\n";
const STRAIGHT: &str = "<work-flow name=\"w\">\n  <start name=\"s\" to=\"a\"/>\n  <action name=\"a\"><script><code>\nif x\n</code></script>\n    <ok to=\"e\"/></action>\n  <end name=\"e\"/>\n</work-flow>\n";

fn akka(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_akka"))
        .args(arguments)
        .env("AKKAFLOW_LANG", "en")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the test owns it");
    child
        .stdin
        .take()
        .expect("the test owns it")
        .write_all(input.as_bytes())
        .expect("the test owns it");
    child.wait_with_output().expect("the test owns it")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the test owns it")
}

#[test]
fn check_shows_the_lines_and_changes_nothing_then_fmt_changes_them_once() {
    let folder = tempfile::tempdir().expect("the test owns it");
    let file = folder.path().join("w.xml");
    std::fs::write(&file, CROOKED).expect("the test owns it");
    std::fs::write(folder.path().join("pom.xml"), "<project/>").expect("the test owns it");
    let folder_name = folder.path().to_str().expect("the test owns it");
    let output = akka(&["fmt", "--check", folder_name], "");
    let said = String::from_utf8(output.stdout).expect("the test owns it");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("@@ -2,2 +2,2 @@\n-<start name=\"s\" to=\"a\"/>\n"),
        "{said}"
    );
    assert_eq!(text(&file), CROOKED);
    let output = akka(&["fmt", folder_name], "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&file), STRAIGHT);
    let entries = std::fs::read_dir(folder.path())
        .expect("the test owns it")
        .count();
    assert_eq!(entries, 2, "nothing is left beside the files");
    let output = akka(&["fmt", "--check", folder_name], "");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let output = akka(&["fmt", "-"], CROOKED);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).expect("the test owns it"),
        STRAIGHT
    );
    let output = akka(&["fmt", "-"], "<work-flow>");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("AF005"));
}

#[test]
fn check_reads_standard_input_too() {
    let output = akka(&["check", "-"], &STRAIGHT.replace("to=\"a\"", "to=\"b\""));
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("<stdin>:2:"), "{said}");
    let output = akka(&["check", "-", "other.xml"], "");
    assert_eq!(output.status.code(), Some(2));
}
