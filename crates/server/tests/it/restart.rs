use crate::harness::{Place, Program, assert_all_succeeded, wait_until};
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
