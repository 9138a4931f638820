//! Which files of the master travel to workers, and which do not.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::harness::{Api, Place, workflow};

/// Runs a script with an attachment; how it ended, and what was said.
fn attach(api: &Api, name: &str, path: &str) -> (String, String) {
    let node = format!(
        r#"<action name="a"><script><code>cat *</code><attach-list><file>{path}</file></attach-list></script><ok to="end"/></action>"#
    );
    let (status, answer) = api.put_workflow(&workflow(name, "a", &node));
    assert_eq!(status, 200, "{answer}");
    let instance = api.wait_for_end(&api.run(name));
    let state = instance["state"].as_str().unwrap().to_owned();
    (state, instance.to_string())
}

#[test]
fn what_is_no_regular_file_is_refused_at_once_by_its_path() {
    let place = Place::new();
    let (_server, api) = place.standalone();
    let pipe = place.text("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for (name, path) in [
        ("pipe", pipe.as_str()),
        ("device", "/dev/zero"),
        ("directory", "/tmp"),
        ("process", "/proc/self/environ"),
    ] {
        let (state, said) = attach(&api, name, path);
        assert_eq!(state, "failed", "{said}");
        assert!(
            said.contains(path) && said.contains("no regular file"),
            "{said}"
        );
    }
}

#[test]
fn files_that_hold_our_own_secrets_are_not_handed_on_whatever_they_are_called() {
    let place = Place::new();
    std::fs::write(place.path("akkaflow.toml"), "").unwrap();
    let (_server, api) =
        place.standalone_with(&[&format!("AKKAFLOW_CONFIG={}", place.text("akkaflow.toml"))]);
    let config = place.path("data/config");
    let key = config.join("links.key");
    std::fs::write(&key, "c2hvcnQ=").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let key_link = r#"<file-links><link name="h" type="SFTP" host="h" port="22" username="u" key-file="id"/></file-links>"#;
    std::fs::write(config.join("file_links.xml"), key_link).unwrap();
    std::fs::write(config.join("id"), "KEY").unwrap();
    std::os::unix::fs::symlink(&key, place.path("soft")).unwrap();
    std::fs::hard_link(config.join("db_links.xml"), place.path("hard")).unwrap();
    let config = |name: &str| config.join(name).display().to_string();
    for (name, path) in [
        ("key", config("links.key")),
        ("soft", place.text("soft")),
        ("db", config("db_links.xml")),
        ("hard", place.text("hard")),
        ("file", config("file_links.xml")),
        ("private", config("id")),
        ("config", place.text("akkaflow.toml")),
    ] {
        let (state, said) = attach(&api, name, &path);
        assert_eq!(state, "failed", "{path}: {said}");
        assert!(
            said.contains(&path) && said.contains("is not handed on"),
            "{said}"
        );
    }
    std::fs::write(place.path("data.csv"), "1,2").unwrap();
    assert_eq!(attach(&api, "data", &place.text("data.csv")).0, "succeeded");
}
