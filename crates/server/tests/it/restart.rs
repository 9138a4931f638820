use std::process::Command;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::harness::{Place, Program, assert_all_succeeded, chain_of, wait_until, workflow};
use crate::witness::{assert_ran_once, ten_nodes};

/// A standalone server whose instance of ten nodes is in its long script.
fn in_the_long_script(place: &Place, seconds: u32) -> (Program, String) {
    let (server, api) = place.standalone();
    assert_eq!(api.put_workflow(&ten_nodes(place, seconds)).0, 200);
    let id = api.run("ten");
    wait_until("the long script has begun", || {
        place.witnessed("begin") == 1
    });
    (server, id)
}

#[test]
fn a_standalone_server_that_is_killed_goes_on_where_it_was_and_runs_nothing_twice() {
    let place = Place::new();
    let (server, id) = in_the_long_script(&place, 3);
    server.kill();
    let (_server, api) = place.standalone();
    assert_all_succeeded(&api.wait_for_end(&id), 10);
    assert_ran_once(&place);
}

#[test]
fn a_script_that_ends_while_the_server_is_down_is_not_run_again() {
    let place = Place::new();
    let (server, id) = in_the_long_script(&place, 1);
    server.kill();
    wait_until("the long script has ended", || place.witnessed("end") == 1);
    let (_server, api) = place.standalone();
    assert_all_succeeded(&api.wait_for_end(&id), 10);
    assert_ran_once(&place);
}

#[test]
fn an_ordered_stop_leaves_scripts_to_be_adopted() {
    let place = Place::new();
    let (server, id) = in_the_long_script(&place, 3);
    assert_eq!(server.stop(), Some(0));
    let (_server, api) = place.standalone();
    assert_all_succeeded(&api.wait_for_end(&id), 10);
    assert_ran_once(&place);
}

#[test]
fn b5_a_workflow_with_shell_nodes_is_kept_and_runs_after_a_restart() {
    let place = Place::new();
    let (server, api) = place.standalone();
    let (status, body) = api.put_workflow(&chain_of("shells", 2));
    assert_eq!(status, 200, "{body}");
    server.kill();
    let (_server, api) = place.standalone();
    assert_all_succeeded(&api.wait_for_end(&api.run("shells")), 2);
}

#[test]
fn a_transfer_whose_master_and_worker_are_killed_leaves_all_rows_or_those_before() {
    const ROWS: u32 = 20_000;
    let place = Place::new();
    let database = place.text("rows.db");
    let links = format!(
        r#"<db-links><link name="rows" type="SQLITE" jdbc-url="jdbc:sqlite:{database}" username="" password=""/></db-links>"#
    );
    std::fs::create_dir_all(place.path("data/config")).unwrap();
    std::fs::write(place.path("data/config/db_links.xml"), links).unwrap();
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (mut server, mut api) = place.standalone();
    let load = format!(
        r#"<action name="load"><transfer><source type="FILE" delimited=",">{}</source><target type="DB" db-link="rows" table="t" is-pre-truncate="true"/></transfer><ok to="end"/></action>"#,
        place.text("in.txt")
    );
    let (status, body) = api.put_workflow(&workflow("load", "load", &load));
    assert_eq!(status, 200, "{body}");
    let mut before = String::new();
    for round in 0..5 {
        let lines: String = (0..ROWS).map(|row| format!("{round},{row}\n")).collect();
        std::fs::write(place.path("in.txt"), lines).unwrap();
        let all = format!("[('{round}', {ROWS})]");
        let id = api.run("load");
        std::thread::park_timeout(Duration::from_millis(random.random_range(0..400)));
        server.kill();
        let held = rows_of_each_round(&database);
        assert!(
            held == before || held == all,
            "{held} after {before}, round {round}"
        );
        (server, api) = place.standalone();
        let instance = api.wait_for_end(&id);
        assert_eq!(instance["state"], "succeeded", "{instance}");
        assert_eq!(rows_of_each_round(&database), all);
        before = all;
    }
}

/// The rounds whose rows stand in the table, and how many of each.
fn rows_of_each_round(database: &str) -> String {
    let code = "import sqlite3, sys\n\
                c = sqlite3.connect(sys.argv[1])\n\
                made = c.execute(\"select 1 from sqlite_master where name = 't'\").fetchall()\n\
                rows = c.execute('select col_0, count(*) from t group by col_0').fetchall() if made else []\n\
                print(rows or '')";
    let output = Command::new("python3")
        .args(["-c", code, database])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
