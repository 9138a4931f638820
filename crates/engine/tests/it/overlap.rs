//! What happens to a fire while others fill the limit.

use akkaflow_engine::ExplainObject;
use akkaflow_model::definition::Overlap;
use akkaflow_model::state::InstanceState;

use crate::world::{Change, World, single};

const HOUR: u64 = 3600;

fn hourly(overlap: Overlap) -> World {
    let mut world = World::with_worker();
    world.put(single("wf").cron("0 * * * *").overlap(overlap));
    world
}

fn states(world: &World) -> Vec<InstanceState> {
    let rows = world.instances_of("wf");
    rows.iter().map(|row| row.state).collect()
}

#[test]
fn queue_lets_it_wait() {
    let mut world = hourly(Overlap::Queue);
    world.pass(2 * HOUR);
    assert_eq!(
        states(&world),
        [InstanceState::Running, InstanceState::Ready]
    );
}

#[test]
fn skip_records_it_with_its_reason_and_makes_no_instance() {
    let mut world = hourly(Overlap::Skip);
    world.pass(3 * HOUR);
    assert_eq!(states(&world), [InstanceState::Running]);
    assert_eq!(
        world.slots_of("wf"),
        [
            "01T01:00 fired",
            "01T02:00 skipped overlap",
            "01T03:00 skipped overlap"
        ]
    );
    world.restart();
    world.attach("w", 10);
    world.kill(world.instances_of("wf")[0].id);
    world.run_out();
    world.pass(HOUR);
    assert_eq!(world.slots_of("wf")[3], "01T04:00 fired");
}

#[test]
fn skip_leaves_what_people_ask_for_in_the_queue() {
    let mut world = hourly(Overlap::Skip);
    world.pass(HOUR);
    let id = world.run("wf");
    assert_eq!(world.state(id), InstanceState::Ready);
}

#[test]
fn skipped_fire_of_a_success_uses_it_up() {
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    world.put(single("down").after(&["up"]).overlap(Overlap::Skip));
    world.give("up");
    world.trigger("up");
    world.succeed("up");
    assert_eq!(world.instances_of("down").len(), 1);
    assert!(world.slots_of("down")[1].ends_with("skipped overlap"));
    world.run_out();
    world.pass(HOUR);
    assert_eq!(
        world.instances_of("down").len(),
        1,
        "it does not come again"
    );
}

#[test]
fn cancel_running_kills_the_oldest_and_says_for_whom() {
    let mut world = World::with_worker();
    let wf = single("wf").cron("0 * * * *").limit(2);
    world.put(wf.overlap(Overlap::CancelRunning));
    world.pass(3 * HOUR);
    let ids: Vec<_> = world.instances_of("wf").iter().map(|row| row.id).collect();
    let (killed, _) = world.cancelled.last().unwrap().clone();
    assert_eq!(killed.instance, ids[0]);
    assert_eq!(
        world.codes(ExplainObject::Instance(ids[2])),
        ["instance_limit"],
        "it waits until the attempt is proven gone"
    );
    world.run_out();
    assert_eq!(states(&world)[0], InstanceState::Killed);
    let message = world.row(ids[0]).message.as_ref().unwrap();
    let text = message.render(akkaflow_model::text::Lang::En);
    assert!(text.contains(&ids[2].to_string()), "{text}");
    assert!(!states(&world).contains(&InstanceState::Ready));
}

#[test]
fn cancel_running_lets_the_newest_win_while_an_older_one_still_dies() {
    let mut world = hourly(Overlap::CancelRunning);
    world.pass(3 * HOUR);
    let rows = world.instances_of("wf");
    let ending = rows[0].ending;
    assert_eq!(
        ending,
        Some(InstanceState::Killed),
        "its attempt still runs"
    );
    assert_eq!(rows[1].state, InstanceState::Killed, "it never began");
    assert_eq!(rows[2].state, InstanceState::Ready);
    world.restart();
    world.attach_again("w", 10, 1, &[]);
    for key in std::mem::take(&mut world.tombstones) {
        world.input(akkaflow_engine::Input::Tombstoned {
            worker: akkaflow_model::id::WorkerId("w".into()),
            key,
        });
    }
    assert_eq!(states(&world)[2], InstanceState::Running);
}
