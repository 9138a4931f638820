//! The key of the links, of which each master has its own copy.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{Cluster, start_master};
use crate::harness::{Api, Place, wait_until, workflow};

/// Gives a master a key.
fn give(place: &Place, master: &str, file: &str, key: &str) {
    let path = place.path(&format!("{master}/config/{file}"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Never readable by others, not even for a moment.
    let aside = path.with_extension("new");
    std::fs::write(&aside, key).unwrap();
    std::fs::set_permissions(&aside, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(&aside, &path).unwrap();
}

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// Keeps a link in the store.
fn put_link(api: &Api, place: &Place) -> (u16, Value) {
    let url = format!("jdbc:sqlite:{}", place.text("dw.db"));
    let body = json!({"type": "SQLITE", "jdbc_url": url});
    api.send("PUT", "/api/v1/links/db/dw", &body)
}

fn problem(api: &Api) -> Value {
    api.get("/api/v1/links/db/dw").1["problem"].clone()
}

fn put_asking(api: &Api) {
    let node = r#"<action name="ask"><sql db-link="dw">select 42</sql><ok to="end"/></action>"#;
    assert_eq!(api.put_workflow(&workflow("asks", "ask", node)).0, 200);
}

#[test]
fn a_master_without_the_key_says_so_and_nodes_wait_until_it_is_there() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (place, api) = (&cluster.place, &cluster.api);
    let (status, refused) = put_link(api, place);
    assert_eq!(status, 409, "nobody makes a key by the way: {refused}");
    give(place, "master", "links.key", KEY);
    assert_eq!(put_link(api, place).0, 200);
    put_asking(api);
    let standby = start_master(place, &cluster.database, "standby", cluster.standby_port);
    cluster.master.kill();
    wait_until("the warning of the new master", || {
        standby.log().contains("links.key")
    });
    api.wait("/readyz", |status, _| status == 200);
    assert!(problem(api).to_string().contains("links.key"));
    let id = api.run("asks");
    let why = api.wait(&format!("/api/v1/instances/{id}/explain"), |_, why| {
        why.to_string().contains("cannot_begin")
    });
    assert!(
        why.to_string().contains("db-link `dw` cannot be opened"),
        "{why}"
    );
    give(place, "standby", "links.key", KEY);
    assert_eq!(problem(api), Value::Null);
    assert_eq!(api.wait_for_end(&id)["state"], "succeeded");
}

#[test]
fn links_are_sealed_with_a_new_key_while_everything_goes_on() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (place, api) = (&cluster.place, &cluster.api);
    give(place, "master", "links.key", KEY);
    assert_eq!(put_link(api, place).0, 200);
    put_asking(api);
    let another = KEY.replace("AAEC", "BBEC");
    give(place, "master", "links.key", &another);
    let reseal = || api.post("/api/v1/links/reseal?user=li", &json!({}));
    let (status, refused) = reseal();
    assert_eq!(status, 409, "the old key is not there: {refused}");
    give(place, "master", "links.key.old", KEY);
    assert_eq!(problem(api), Value::Null);
    assert_eq!(api.wait_for_end(&api.run("asks"))["state"], "succeeded");
    for _ in 0..2 {
        assert_eq!(reseal().0, 200);
    }
    std::fs::remove_file(place.path("master/config/links.key.old")).unwrap();
    assert_eq!(problem(api), Value::Null);
    assert_eq!(api.wait_for_end(&api.run("asks"))["state"], "succeeded");
    // The next master reads what was sealed.
    give(place, "standby", "links.key", &another);
    let _standby = start_master(place, &cluster.database, "standby", cluster.standby_port);
    cluster.master.kill();
    api.wait("/readyz", |status, _| status == 200);
    assert_eq!(api.wait_for_end(&api.run("asks"))["state"], "succeeded");
}
