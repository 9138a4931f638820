//! Which crate may depend on which, and where libraries are at home.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// Layer, crate, and what it may depend on besides `model`. An edge that stands nowhere here is an offence.
const ALLOWED: &[(u8, &str, &[&str])] = &[
    (0, "model", &[]),
    (1, "engine", &[]),
    (1, "protocol", &[]),
    (1, "store", &[]),
    (1, "rpc", &[]),
    (1, "api", &[]),
    (1, "connectors", &[]),
    (2, "actions", &["connectors"]),
    (2, "log", &["api", "store"]),
    (2, "alert", &["api"]),
    (
        3,
        "master",
        &[
            "engine", "protocol", "store", "rpc", "actions", "log", "alert",
        ],
    ),
    (3, "worker", &["protocol", "rpc", "actions", "connectors"]),
    (
        3,
        "http",
        &["api", "engine", "rpc", "store", "log", "alert"],
    ),
    (4, "server", LOWER),
    (4, "cli", &["api", "actions", "engine"]),
    (5, "testkit", ALL),
    // It writes down what these declare; otherwise it knows the programs from outside.
    (5, "xtask", &["model", "actions", "cli"]),
];

/// The mains of the servers wire everything of the layers below them.
const LOWER: &[&str] = &[
    "engine",
    "protocol",
    "store",
    "rpc",
    "api",
    "connectors",
    "actions",
    "log",
    "alert",
    "master",
    "worker",
    "http",
];

/// What stands up whole clusters for tests may look at everything.
const ALL: &[&str] = &[
    "engine",
    "protocol",
    "store",
    "rpc",
    "api",
    "connectors",
    "actions",
    "log",
    "alert",
    "master",
    "worker",
    "http",
    "server",
    "cli",
];

/// Libraries and the only crates that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "connectors"]),
    ("tonic", &["rpc", "master", "worker", "http"]),
    ("axum", &["http"]),
    // Workbooks are XML too.
    ("quick-xml", &["model", "connectors"]),
    ("croner", &["model"]),
    ("lettre", &["alert"]),
    ("notify", &["master"]),
];

/// The pure crates: no runtime, in their tests neither.
const WITHOUT_TOKIO: &[&str] = &["model", "engine", "protocol"];

const PREFIX: &str = "akkaflow-";

/// Edges of `cargo metadata` that the tables forbid, in words. A crate names itself in its tests to switch a feature on.
fn offences(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"]
        .as_array()
        .expect("metadata lists packages");
    let dependencies = packages.iter().flat_map(|package| {
        let name = package["name"]
            .as_str()
            .expect("a package has a name")
            .trim_start_matches(PREFIX);
        let dependencies = package["dependencies"]
            .as_array()
            .expect("a package lists dependencies");
        dependencies
            .iter()
            .map(move |dependency| (name, dependency))
    });
    dependencies
        .filter_map(|(name, dependency)| offence(name, dependency))
        .collect()
}

fn offence(from: &str, dependency: &Value) -> Option<String> {
    let name = dependency["name"]
        .as_str()
        .expect("a dependency has a name");
    let is_for_tests = dependency["kind"] == "dev";
    if name.starts_with("tokio") && WITHOUT_TOKIO.contains(&from) {
        return Some(format!("{from} -> {name}: the crate is pure"));
    }
    if let Some(to) = name.strip_prefix(PREFIX) {
        let is_fine = is_allowed(from, to)
            || is_for_tests && (to == from || to == "testkit" || is_below(from, to));
        return (!is_fine).then(|| format!("{from} -> {to}: not in the table of crates"));
    }
    let (_, homes) = HOMES.iter().find(|(library, _)| *library == name)?;
    let is_fine = homes.contains(&from) || is_for_tests;
    (!is_fine).then(|| format!("{from} -> {name}: its home is {}", homes.join(", ")))
}

fn row(name: &str) -> Option<&'static (u8, &'static str, &'static [&'static str])> {
    ALLOWED.iter().find(|(_, known, _)| *known == name)
}

fn is_allowed(from: &str, to: &str) -> bool {
    let Some((_, _, allowed)) = row(from) else {
        return false;
    };
    let is_everybodys = to == "model" && from != "model" && from != "xtask";
    is_everybodys || allowed.contains(&to)
}

/// Whether `to` stands in a lower layer than `from`.
fn is_below(from: &str, to: &str) -> bool {
    row(from)
        .zip(row(to))
        .is_some_and(|((from, ..), (to, ..))| to < from)
}

fn metadata() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO"));
    command
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let offences = offences(&metadata());
    assert!(
        offences.is_empty(),
        "forbidden dependencies:\n{}",
        offences.join("\n")
    );
}

#[test]
fn every_crate_stands_in_the_table() {
    let metadata = metadata();
    let names = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap());
    let is_known = |name: &str| name.strip_prefix(PREFIX).and_then(row).is_some();
    let unknown: Vec<&str> = names.filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "crates without a layer: {unknown:?}");
}

fn edge(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
    offences(&json!({"packages": [{"name": from, "dependencies": [{"name": to, "kind": kind}]}]}))
}

#[test]
fn the_table_itself_points_down() {
    for (_, from, allowed) in ALLOWED {
        assert!(allowed.iter().all(|to| is_below(from, to)), "{from}");
    }
}

#[test]
fn a_made_up_edge_is_named() {
    let of = |from, to| edge(from, to, None);
    assert_eq!(
        of("akkaflow-worker", "akkaflow-master"),
        ["worker -> master: not in the table of crates"]
    );
    assert_eq!(
        of("akkaflow-worker", "akkaflow-store"),
        ["worker -> store: not in the table of crates"]
    );
    assert_eq!(
        of("akkaflow-http", "akkaflow-protocol"),
        ["http -> protocol: not in the table of crates"]
    );
    assert_eq!(
        of("akkaflow-model", "akkaflow-engine"),
        ["model -> engine: not in the table of crates"]
    );
    assert_eq!(
        of("akkaflow-xtask", "akkaflow-store"),
        ["xtask -> store: not in the table of crates"]
    );
    assert_eq!(
        of("akkaflow-other", "akkaflow-model"),
        ["other -> model: not in the table of crates"]
    );
    assert_eq!(
        of("akkaflow-cli", "sqlx"),
        ["cli -> sqlx: its home is store, connectors"]
    );
    assert_eq!(
        of("akkaflow-engine", "tokio"),
        ["engine -> tokio: the crate is pure"]
    );
    assert!(of("akkaflow-master", "akkaflow-engine").is_empty());
    assert!(of("akkaflow-actions", "akkaflow-model").is_empty());
}

#[test]
fn tests_may_look_down_but_not_up() {
    let of = |from, to| edge(from, to, Some("dev"));
    assert!(of("akkaflow-engine", "akkaflow-testkit").is_empty());
    assert!(of("akkaflow-master", "akkaflow-connectors").is_empty());
    assert!(of("akkaflow-http", "akkaflow-actions").is_empty());
    assert_eq!(of("akkaflow-http", "akkaflow-master").len(), 1);
    assert_eq!(of("akkaflow-store", "akkaflow-master").len(), 1);
    assert_eq!(of("akkaflow-model", "tokio").len(), 1);
}

#[test]
fn building_needs_the_same_leave_as_running() {
    assert_eq!(
        edge("akkaflow-rpc", "akkaflow-store", Some("build")).len(),
        1
    );
}
