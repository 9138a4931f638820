//! The program as people start it, without any server or with one that says what the test wants.

mod cron;
mod faces;
mod format;
mod links;
mod scripts;
mod server;
mod testing;

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

/// A fresh directory with files in it.
fn directory(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    for (file, text) in files {
        let file = path.join(file);
        std::fs::create_dir_all(file.parent().expect("it lies in the directory")).expect("cargo's");
        std::fs::write(file, text).expect("cargo's");
    }
    path
}

fn check(arguments: &[&str], path: &std::path::Path) -> (i32, String) {
    let path = path.to_string_lossy();
    let mut all = vec!["check"];
    all.extend(arguments);
    all.push(&path);
    let output = akka("C", &all);
    let code = output.status.code().expect("it was not killed");
    (code, text(&output.stdout) + &text(&output.stderr))
}

const UPSTREAM: &str = r#"<work-flow name="w" instance-limit="1"><coordinator><depend-list cron="0 1 * * *"/></coordinator><start name="start" to="end"/><end name="end"/></work-flow>"#;
const MISSPELT: &str = r#"<work-flow name="v" instance-limit="1" instance-limt="2"><coordinator><depend-list><workflow name="w"/></depend-list></coordinator><start name="start" to="end"/><end name="end"/></work-flow>"#;

#[test]
fn a_directory_is_checked_as_one_set_and_the_exit_code_tells_how_it_is() {
    let good = directory(
        "set-good",
        &[
            ("w.xml", UPSTREAM),
            ("sub/.hidden.xml", "<x"),
            ("sub/readme.txt", "<x"),
        ],
    );
    assert_eq!(
        check(&[], &good),
        (
            0,
            "checked 1 file: 0 errors, 0 warnings, 0 notes\n".to_owned()
        )
    );
    let warned = directory(
        "set-warned",
        &[("w.xml", UPSTREAM), ("sub/deep/v.XML", MISSPELT)],
    );
    let (code, said) = check(&[], &warned);
    assert!(code == 0 && said.contains("warning[AF101]"), "{said}");
    assert!(
        said.ends_with("checked 2 files: 0 errors, 1 warning, 0 notes\n"),
        "{said}"
    );
    let (code, said) = check(&["--strict"], &warned);
    assert!(code == 1 && said.contains("error[AF101]"), "{said}");
    let alone = directory(
        "set-alone",
        &[("v.xml", &MISSPELT.replace(" instance-limt=\"2\"", ""))],
    );
    let (code, said) = check(&[], &alone);
    assert!(
        code == 0 && said.contains("warning[AF702]: there is no workflow `w`"),
        "{said}"
    );
    assert_eq!(check(&["--strict"], &alone).0, 1);
    assert_eq!(check(&[], &good.join("nothing-here")).0, 2);
    assert_eq!(check(&["--format", "yaml"], &good).0, 2);
    assert_eq!(code_of_nothing(), 2);
}

#[test]
fn the_examples_pass_a_strict_check_whatever_is_not_run_yet() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let (code, said) = check(&["--strict"], &examples);
    assert_eq!(code, 0, "{said}");
    let warnings = said.matches("warning[").count();
    assert_eq!(said.matches("warning[AF209]").count(), warnings, "{said}");
    assert!(!said.contains("error["), "{said}");
}

fn code_of_nothing() -> i32 {
    code(&["check"])
}

#[test]
fn a_gibibyte_a_pipe_and_bytes_of_no_text_are_findings_and_the_rest_is_checked() {
    let path = directory(
        "set-odd",
        &[("w.xml", UPSTREAM), ("broken.xml", "<work-flow")],
    );
    let huge = std::fs::File::create(path.join("huge.xml")).expect("cargo's");
    huge.set_len(1 << 30).expect("a sparse file");
    std::fs::write(
        path.join("nul.xml"),
        UPSTREAM.replace("name=\"w\"", "name=\"n\0\""),
    )
    .expect("cargo's");
    std::fs::write(path.join("utf16.xml"), b"\xff\xfe<\0w\0").expect("cargo's");
    std::fs::write(path.join("latin.xml"), b"<work-flow name=\"\xe9\xe9\"/>").expect("cargo's");
    std::os::unix::net::UnixListener::bind(path.join("socket.xml")).expect("cargo's");
    let since = std::time::Instant::now();
    let (code, said) = check(&[], &path);
    assert!(
        since.elapsed().as_secs() < 10,
        "a gibibyte must not be read"
    );
    assert_eq!(code, 1, "{said}");
    for expected in [
        "error[AF001]: the file has 1048576 KiB",
        "huge.xml",
        "error[AF014]: it cannot be read: it is not a regular file",
        "error[AF004]: character U+0000",
        "error[AF002]: encoding `UTF-16`",
        "error[AF003]: byte",
        "error[AF005]",
        "checked 7 files",
    ] {
        assert!(said.contains(expected), "no {expected} in {said}");
    }
    assert!(!said.contains("w.xml:"), "{said}");
}

#[test]
fn a_wrong_path_is_a_finding_and_the_others_are_checked() {
    let path = directory("set-partly-there", &[("v.xml", MISSPELT)]);
    let missing = path.join("no\nwhere.xml").to_string_lossy().into_owned();
    let (code, said) = check(&["--format", "json", &missing], &path);
    let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let found: Vec<_> = report["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| finding["code"].as_str().expect("a code"))
        .collect();
    assert_eq!((code, found), (2, vec!["AF101", "AF702", "AF014"]));
    let (code, said) = check(&[&missing], &path);
    assert!(code == 2 && said.contains("no\\nwhere.xml:1:1"), "{said}");
}

#[test]
fn programs_get_json_and_sarif_in_the_language_of_the_user() {
    let path = directory("set-formats", &[("w.xml", UPSTREAM), ("v.xml", MISSPELT)]);
    let (code, said) = check(&["--format", "json"], &path);
    let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (code, &report["files"], &report["warnings"]),
        (0, &2.into(), &1.into())
    );
    let found = &report["diagnostics"][0];
    assert_eq!(
        (&found["code"], &found["line"], &found["column"]),
        (&"AF101".into(), &1.into(), &40.into())
    );
    assert_eq!(found["help"], "did you mean `instance-limit`?");
    let path = path.to_string_lossy();
    let output = akka("zh_CN.UTF-8", &["check", "--format", "sarif", &path]);
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!(
        (&log["version"], &result["level"]),
        (&"2.1.0".into(), &"warning".into())
    );
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], result["ruleId"]);
    let message = result["message"]["text"].as_str().expect("a text");
    assert!(message.contains("没有属性"), "{message}");
    let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str();
    assert!(uri.expect("a reference").starts_with("file:///"), "{uri:?}");
}

#[test]
fn calendars_are_checked_with_the_set_that_they_lie_in_or_beside_a_single_file() {
    let flow = |name: &str, calendar: &str| {
        UPSTREAM
            .replace("name=\"w\"", &format!("name=\"{name}\""))
            .replace(
                "<coordinator>",
                &format!("<coordinator calendar=\"{calendar}\">"),
            )
    };
    let path = directory(
        "set-calendars",
        &[
            ("a/calendars/china.calendar", "weekend sat sun"),
            ("a/near.xml", &flow("near", "china")),
            ("a/beside.calendar", "weekend sat son"),
            ("a/other.xml", &flow("other", "beside")),
            ("b/far.xml", &flow("far", "china")),
            ("b/misspelt.xml", &flow("misspelt", "chian")),
        ],
    );
    let (code, said) = check(&[], &path);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("a/beside.calendar:1:"), "{said}");
    assert_eq!(said.matches("warning[AF424]").count(), 1, "{said}");
    assert!(said.contains("did you mean `china`?"), "{said}");
    assert!(said.contains("checked 6 files: 1 error"), "{said}");
    for (file, expected) in [
        ("a/near.xml", "checked 2 files: 0 errors"),
        ("a/other.xml", "checked 2 files: 1 error"),
        ("b/far.xml", "warning[AF424]: there is no calendar `china`"),
    ] {
        let (_, said) = check(&[], &path.join(file));
        assert!(said.contains(expected), "no {expected} in {said}");
    }
}

#[test]
fn hidden_directories_are_passed_over_and_circles_of_links_end() {
    let path = directory(
        "set-links",
        &[("sub/w.xml", UPSTREAM), (".idea/modules.xml", "<project/>")],
    );
    for link in ["one", "sub/two", "sub/three"] {
        std::os::unix::fs::symlink(&path, path.join(link)).expect("cargo's");
    }
    let (code, said) = check(&[], &path);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("checked 1 file:"), "{said}");
    let empty = directory("set-empty", &[("readme.txt", "")]);
    let output = akka("C", &["check", &empty.to_string_lossy()]);
    let told = format!("no workflow file in {}\n", empty.display());
    assert!(text(&output.stderr).ends_with(&told));
}

#[test]
fn neither_a_pipe_nor_a_gibibyte_is_read_by_the_check_of_one_workflow() {
    let path = directory("odd-workflows", &[("w.xml", UPSTREAM)]);
    let huge = std::fs::File::create(path.join("huge.xml")).expect("cargo's");
    huge.set_len(1 << 30).expect("a sparse file");
    let made = Command::new("mkfifo").arg(path.join("pipe.xml")).status();
    assert!(made.expect("it is everywhere").success());
    for (file, words) in [
        ("huge.xml", "too large"),
        ("pipe.xml", "not a regular file"),
    ] {
        let file = path.join(file);
        let output = akka("C", &["workflow", "check", &file.to_string_lossy()]);
        assert_ne!(output.status.code(), Some(0));
        let said = text(&output.stderr);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_long_line_is_shown_around_the_place_where_the_terminal_is_narrow() {
    let long = GOOD.replace("to=\"end\"", "to=\"nowhere\"");
    let long = file("long.xml", &long);
    let output = Command::new(env!("CARGO_BIN_EXE_akka"))
        .args(["check", &long])
        .env("AKKAFLOW_LANG", "en")
        .env("COLUMNS", "60")
        .output()
        .expect("the program was built");
    let said = text(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let excerpt = lines.iter().find(|line| line.contains("nowhere\"/>"));
    let excerpt = excerpt.unwrap_or_else(|| panic!("{said}"));
    assert!(
        excerpt.contains('…') && excerpt.chars().count() <= 60,
        "{said}"
    );
}
