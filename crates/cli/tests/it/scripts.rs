//! The scripts in `sbin/`, with programs that only pretend.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::text;

/// Serves nothing, says that it is ready, and writes down when it is told to end and when it has ended.
const ROLE: &str = r#"#!/usr/bin/env bash
all="$*"
while [ "$1" != --data-dir ]; do shift; done
echo "$all" > "$(dirname "$0")/arguments-$(basename "$2")"
role=$(basename "$2") log=$(dirname "$0")/log
trap 'echo "begin $role" >> "$log"; sleep 0.3; echo "end $role" >> "$log"; exit 0' TERM
echo "ready http://127.0.0.1:5551"
while :; do sleep 0.1; done
"#;

/// Says what it was asked and of whom; a run ends as the test wants.
const AKKA: &str = r#"#!/usr/bin/env bash
echo "akka asks ${AKKAFLOW_SERVER:-nobody}: $*"
case "$*" in *"run load_data"*) exit "${PRETENDED_CODE:-0}" ;; esac
"#;

/// A folder of a test with pretended programs; whatever still runs at the end is stopped.
struct Stage {
    folder: PathBuf,
}

impl Stage {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scripts-{name}"));
        let _ = fs::remove_dir_all(&folder);
        let bin = folder.join("bin");
        fs::create_dir_all(&bin).expect("the directory is cargo's");
        let roles = [
            "standalone",
            "master",
            "master-standby",
            "worker",
            "http-server",
        ];
        let programs = roles.map(|role| (format!("akkaflow-{role}"), ROLE));
        for (name, code) in programs.into_iter().chain([("akka".to_owned(), AKKA)]) {
            let path = bin.join(name);
            fs::write(&path, code).expect("the directory is there");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        Self { folder }
    }

    /// Runs a script with its data in a folder of the stage.
    fn run(&self, data: &str, code: &str, script: &str, arguments: &[&str]) -> Output {
        let sbin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sbin");
        Command::new(sbin.join(script))
            .args(arguments)
            .env("AKKAFLOW_BIN", self.folder.join("bin"))
            .env("AKKAFLOW_DATA", self.folder.join(data))
            .env("AKKAFLOW_LANG", "en")
            .env("PRETENDED_CODE", code)
            .env_remove("AKKAFLOW_SERVER")
            .env_remove("AKKAFLOW_CONFIG")
            .env_remove("AKKAFLOW_LINKS")
            .env_remove("AKKAFLOW_MASTER_LINKS")
            .output()
            .expect("the script is there")
    }

    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("bin/log")).unwrap_or_default();
        log.lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for data in ["data", "data/quickstart"] {
            self.run(data, "0", "stop-cluster", &[]);
        }
    }
}

#[test]
fn the_command_finds_the_server_that_the_quickstart_has_started() {
    let stage = Stage::new("found");
    let output = stage.run("data", "0", "akka", &["front"]);
    assert_eq!(text(&output.stdout), "akka asks nobody: front\n");
    let output = stage.run("data/quickstart", "0", "quickstart", &[]);
    assert!(output.status.success(), "{output:?}");
    let output = stage.run("data", "0", "akka", &["front"]);
    assert_eq!(
        text(&output.stdout),
        "akka asks http://127.0.0.1:5551: front\n"
    );
    stage.run("data/quickstart", "0", "quickstart", &["--stop"]);
    let output = stage.run("data", "0", "akka", &["front"]);
    assert_eq!(text(&output.stdout), "akka asks nobody: front\n");
}

#[test]
fn once_leaves_a_server_that_ran_before() {
    let stage = Stage::new("once");
    stage.run("data", "0", "quickstart", &[]);
    for code in ["0", "1"] {
        let output = stage.run("data", code, "quickstart", &["--once"]);
        assert_eq!(output.status.code(), code.parse().ok(), "{output:?}");
        let said = text(&output.stdout);
        assert!(said.contains("was running before and goes on"), "{said}");
        assert!(stage.log().is_empty());
    }
}

#[test]
fn once_stops_the_server_that_it_has_started() {
    let stage = Stage::new("once-alone");
    let output = stage.run("data", "1", "quickstart", &["--once"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(stage.log(), ["begin standalone", "end standalone"]);
}

/// The db-links file that a role was told.
fn links_of(stage: &Stage, role: &str) -> Option<String> {
    let file = stage.folder.join(format!("bin/arguments-{role}"));
    let arguments = fs::read_to_string(file).expect("the role has started");
    let mut words = arguments.split_whitespace();
    words.find(|word| *word == "--links")?;
    words.next().map(ToOwned::to_owned)
}

const MASTERS: [(&str, &str); 2] = [
    ("master-startup", "master"),
    ("master-standby-startup", "standby"),
];

#[test]
fn a_master_and_its_standby_read_the_same_links() {
    let stage = Stage::new("links");
    let shared = stage.folder.join("data/config/db_links.xml");
    for (script, role) in MASTERS {
        stage.run("data", "0", script, &[]);
        assert_eq!(links_of(&stage, role), Some(shared.display().to_string()));
    }
}

#[test]
fn links_that_a_master_had_for_itself_stay_in_force_for_its_standby_too() {
    let stage = Stage::new("old-links");
    let old = stage.folder.join("data/master/config/db_links.xml");
    fs::create_dir_all(old.parent().unwrap()).unwrap();
    fs::write(&old, "<db-links/>").unwrap();
    for (script, role) in MASTERS {
        let said = text(&stage.run("data", "0", script, &[]).stdout);
        assert!(said.contains("the old place, still in force"), "{said}");
        assert_eq!(links_of(&stage, role), Some(old.display().to_string()));
    }
}

#[test]
fn links_that_the_configuration_names_are_left_to_it() {
    let stage = Stage::new("named-links");
    fs::create_dir_all(stage.folder.join("data")).unwrap();
    let file = stage.folder.join("data/akkaflow.toml");
    fs::write(file, "[master]\nlinks = \"/etc/links.xml\"\n").unwrap();
    stage.run("data", "0", "master-startup", &[]);
    assert_eq!(links_of(&stage, "master"), None);
}

#[test]
fn what_is_given_to_a_start_script_goes_before_what_it_would_say_itself() {
    let stage = Stage::new("given");
    let given = [
        "--workflows",
        "/flows",
        "--links=/etc/links.xml",
        "--config",
        "/etc/a.toml",
    ];
    for (script, role) in [("standalone-startup", "standalone"), MASTERS[0], MASTERS[1]] {
        let output = stage.run("data", "0", script, &given);
        assert!(output.status.success(), "{output:?}");
        let file = stage.folder.join(format!("bin/arguments-{role}"));
        let arguments = fs::read_to_string(file).expect("the role has started");
        let (_, behind) = arguments
            .trim()
            .split_once(' ')
            .expect("--data-dir and more");
        assert!(behind.ends_with(&given.join(" ")), "{arguments}");
        for option in ["--workflows", "--links", "--config"] {
            assert_eq!(arguments.matches(option).count(), 1, "{arguments}");
        }
    }
}

#[test]
fn one_role_is_stopped_by_its_name() {
    let stage = Stage::new("stop-one");
    for (script, _) in MASTERS {
        stage.run("data", "0", script, &[]);
    }
    let output = stage.run("data", "0", "stop-cluster", &["stanby"]);
    assert!(!output.status.success(), "{output:?}");
    assert!(stage.log().is_empty());
    let output = stage.run("data", "0", "stop-cluster", &["standby"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(stage.log(), ["begin standby", "end standby"]);
    let output = stage.run("data", "0", "stop-cluster", &["standby"]);
    assert_eq!(text(&output.stdout), "not running: standby\n");
}

#[test]
fn a_cluster_stops_from_its_faces_to_its_heart_one_after_the_other() {
    let stage = Stage::new("stop");
    for (script, arguments) in [
        ("master-startup", &[][..]),
        ("master-standby-startup", &[]),
        ("worker-startup", &[]),
        ("worker-startup", &["two"]),
        ("httpserver-startup", &[]),
    ] {
        let output = stage.run("data", "0", script, arguments);
        assert!(output.status.success(), "{output:?}");
    }
    let output = stage.run("data", "0", "stop-cluster", &[]);
    let order = ["httpserver", "worker", "worker-two", "standby", "master"];
    let expected: Vec<String> = order
        .iter()
        .flat_map(|role| [format!("begin {role}"), format!("end {role}")])
        .collect();
    assert_eq!(stage.log(), expected);
    let said = text(&output.stdout);
    let stopped: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split_once(" stopped").map(|(role, _)| role))
        .collect();
    assert_eq!(stopped, order, "{said}");
    let output = stage.run("data", "0", "stop-cluster", &[]);
    assert_eq!(text(&output.stdout), "nothing is running\n");
}
