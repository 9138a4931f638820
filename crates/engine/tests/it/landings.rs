//! Landing time: who is late is said before the deadline, with the critical path and the node to blame.

use akkaflow_engine::{ExplainObject, Order};
use akkaflow_model::command::By;
use akkaflow_model::definition::Workflow;
use akkaflow_model::id::InstanceId;
use akkaflow_model::landing::{Deadline, Landing, LandingNotice};
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;

use crate::world::{BEGIN, Change, World, single, workflow};

const MINUTE: u64 = 60;

/// `a`, usually 10 minutes, then `b`, usually 20, within an hour.
fn chain() -> Workflow {
    due(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e"), "1h")
}

fn due(workflow: Workflow, deadline: &str) -> Workflow {
    workflow.with(|it| it.deadline = Deadline::parse(deadline))
}

fn begun() -> (World, InstanceId) {
    let mut world = World::with_worker();
    world.put(chain());
    let id = world.run("wf");
    world.usual(id, &[("a", 10), ("b", 20)]);
    (world, id)
}

fn landing(world: &World, id: InstanceId) -> &Landing {
    world.row(id).landing.as_ref().expect("it has a deadline")
}

fn late(world: &World, id: InstanceId) -> &LandingNotice {
    landing(world, id).late.as_ref().expect("it is late")
}

fn blamed(notice: &LandingNotice) -> Option<(&str, Option<u64>)> {
    let blame = notice.blame.as_ref()?;
    Some((&blame.node, blame.behind_ms.map(|ms| ms / 60_000)))
}

/// Minutes since the beginning.
fn minutes(minutes: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN + minutes * 60_000)
}

/// The same and a millisecond.
fn just_after(minutes: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN + minutes * 60_000 + 1)
}

#[test]
fn a_node_that_takes_too_long_is_blamed_as_soon_as_the_rest_no_longer_fits() {
    let (mut world, id) = begun();
    // It is 15 minutes behind: with as many more and `b` the hour is full.
    assert_eq!(world.engine.next_deadline(), Some(just_after(25)));
    world.pass(25 * MINUTE);
    assert_eq!(landing(&world, id).late, None);
    world.pass(1);
    let late = late(&world, id);
    let two_after = Timestamp::from_millis(just_after(60).as_millis() + 1);
    assert_eq!((late.at, late.expected), (just_after(25), two_after));
    assert_eq!(blamed(late), Some(("a", Some(15))));
    assert_eq!(late.path, ["a", "b"]);
    assert_eq!(landing(&world, id).missed, None);
}

#[test]
fn people_are_told_and_the_deadline_that_passes_is_another_fact() {
    let (mut world, id) = begun();
    world.pass(41 * MINUTE);
    let said = world.engine.explain(&ExplainObject::Instance(id));
    let said: Vec<_> = said
        .iter()
        .map(|it| (it.code, it.text.get(Lang::En)))
        .collect();
    assert_eq!(
        said,
        [(
            "deadline_at_risk",
            "is expected to end at 2026-01-01 01:00:01 UTC, after its deadline 2026-01-01 01:00:00 UTC; \
             node `a` is to blame, 15m01s behind its usual time; critical path: a → b"
        )]
    );
    let before = late(&world, id).clone();
    world.pass(20 * MINUTE);
    assert_eq!(*late(&world, id), before);
    let missed = landing(&world, id).missed.as_ref().unwrap();
    assert_eq!(missed.at, just_after(60));
    assert_eq!(blamed(missed), Some(("a", Some(50))));
    assert_eq!(
        world.codes(ExplainObject::Instance(id)),
        ["deadline_missed"]
    );
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn who_is_in_time_hears_nothing() {
    let (mut world, id) = begun();
    world.pass(12 * MINUTE);
    world.ok("a");
    world.pass(19 * MINUTE);
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    world.pass(100 * MINUTE);
    assert_eq!(
        (&landing(&world, id).late, &landing(&world, id).missed),
        (&None, &None)
    );
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_new_master_says_nothing_twice() {
    let (mut world, id) = begun();
    world.pass(41 * MINUTE);
    let first = late(&world, id).clone();
    world.take_over();
    world.pass(5 * MINUTE);
    assert_eq!(*late(&world, id), first);
    world.pass(20 * MINUTE);
    let missed = landing(&world, id).missed.clone();
    assert!(missed.is_some());
    world.take_over();
    world.pass(60 * MINUTE);
    assert_eq!(landing(&world, id).missed, missed);
    assert_eq!(*late(&world, id), first);
}

#[test]
fn a_new_master_warns_when_it_is_time() {
    let (mut world, id) = begun();
    world.pass(20 * MINUTE);
    world.take_over();
    world.pass(11 * MINUTE);
    assert_eq!(late(&world, id).at, just_after(25));
}

#[test]
fn a_new_master_whose_clock_is_behind_warns_at_once_as_well() {
    let mut world = World::with_worker();
    world.put(chain());
    let id = world.run("wf");
    world.pass(45 * MINUTE);
    world.ok("a");
    // By the rows `b` began at 45 minutes, and ends at 65 at the earliest.
    world.take_over_behind(10 * 60);
    world.usual(id, &[("a", 10), ("b", 20)]);
    world.tick();
    let late = late(&world, id);
    assert_eq!((late.at, late.expected), (minutes(35), minutes(65)));
    assert_eq!(blamed(late), Some(("a", Some(35))));
}

#[test]
fn a_new_master_asks_again_what_nobody_has_answered() {
    let mut world = World::with_worker();
    world.put(chain());
    let id = world.run("wf");
    assert_eq!(world.asked, [id]);
    world.take_over();
    assert_eq!(world.asked, [id, id]);
    world.usual(id, &[("a", 10), ("b", 20)]);
    world.take_over();
    assert_eq!(world.asked, [id, id]);
    // The first word counts.
    world.usual(id, &[("a", 1)]);
    world.pass(41 * MINUTE);
    assert_eq!(late(&world, id).at, just_after(25));
}

#[test]
fn the_longest_branch_decides() {
    let mut world = World::with_worker();
    let text = "start f\n fork f: a b\n a: ok=j\n b: ok=j\n join j: c\n c: ok=e\n end e";
    world.put(due(workflow("wf", text), "1h"));
    let id = world.run("wf");
    world.usual(id, &[("a", 10), ("b", 30), ("c", 20)]);
    world.pass(24 * MINUTE);
    world.ok("a");
    world.pass(12 * MINUTE);
    assert_eq!(late(&world, id).path, ["b", "c"]);
    assert_eq!(blamed(late(&world, id)), Some(("b", Some(5))));
}

#[test]
fn a_node_that_has_ended_too_late_is_blamed_for_those_behind_it() {
    let mut world = World::with_worker();
    world.put(chain());
    let id = world.run("wf");
    world.usual(id, &[("a", 10), ("b", 25)]);
    world.pass(22 * MINUTE);
    world.ok("a");
    assert_eq!(world.running_nodes(), "b");
    world.pass(32 * MINUTE);
    let late = late(&world, id);
    assert!(late.at > minutes(53) && late.at < minutes(54), "{late:?}");
    assert_eq!(late.path, ["a", "b"]);
    assert_eq!(blamed(late), Some(("a", Some(12))));
}

#[test]
fn a_node_that_is_given_no_worker_for_too_long_is_blamed() {
    let mut world = World::new();
    world.attach("w", 1);
    world.put(chain());
    world.put(workflow("other", "start x\n x: ok=e\n end e"));
    let id = world.run("wf");
    world.usual(id, &[("a", 10), ("b", 20)]);
    world.run("other");
    world.pass(15 * MINUTE);
    world.ok("a");
    assert_eq!(world.running_nodes(), "x");
    world.pass(26 * MINUTE);
    let late = late(&world, id);
    assert_eq!(late.at, just_after(40));
    assert_eq!(late.path, ["a", "b"]);
    assert_eq!(blamed(late), Some(("b", Some(25))));
}

#[test]
fn the_last_node_is_warned_of_before_the_deadline_as_well() {
    let mut world = World::with_worker();
    world.put(due(workflow("wf", "start a\n a: ok=e\n end e"), "1h"));
    let id = world.run("wf");
    world.usual(id, &[("a", 10)]);
    world.pass(61 * MINUTE);
    assert_eq!(late(&world, id).at, just_after(35));
    assert_eq!(blamed(late(&world, id)), Some(("a", Some(25))));
    let missed = landing(&world, id).missed.as_ref().unwrap();
    assert_eq!(
        (missed.at, blamed(missed)),
        (just_after(60), Some(("a", Some(50))))
    );
}

#[test]
fn one_that_begins_too_late_is_late_at_once_and_no_node_is_blamed() {
    let mut world = World::with_worker();
    world.put(chain());
    let fire_time = Some(Timestamp::from_millis(BEGIN - 50 * 60_000));
    let id = crate::world::instance_of(world.order(Order::Run {
        name: "wf".into(),
        params: Vec::new(),
        fire_time,
        user: String::new(),
        idempotency: None,
    }));
    world.usual(id, &[("a", 10), ("b", 20)]);
    world.tick();
    let late = late(&world, id);
    assert_eq!((late.at.as_millis(), blamed(late)), (BEGIN, None));
    assert_eq!(late.path, ["a", "b"]);
    assert!(!late.was_waiting);
}

#[test]
fn one_that_waits_in_its_queue_for_too_long_is_late_there() {
    let mut world = World::with_worker();
    world.put(chain().limit(1));
    world.run("wf");
    let id = world.run("wf");
    world.usual(id, &[("a", 10), ("b", 20)]);
    assert_eq!(world.state(id), InstanceState::Ready);
    world.pass(31 * MINUTE);
    let late = late(&world, id);
    assert_eq!((late.at, late.was_waiting), (just_after(30), true));
    assert_eq!(
        (blamed(late), &*late.path),
        (None, &["a".to_owned(), "b".to_owned()][..])
    );
    assert_eq!(
        world.codes(ExplainObject::Instance(id)),
        ["instance_limit", "deadline_at_risk"]
    );
}

#[test]
fn without_a_history_only_the_deadline_itself_is_told() {
    let mut world = World::with_worker();
    world.put(chain());
    let id = world.run("wf");
    world.usual(id, &[]);
    world.pass(61 * MINUTE);
    assert_eq!(landing(&world, id).late, None);
    let missed = landing(&world, id).missed.as_ref().unwrap();
    assert_eq!(blamed(missed), Some(("a", None)));
}

#[test]
fn a_try_that_fails_counts_from_anew() {
    let mut world = World::with_worker();
    world.put(due(
        workflow("wf", "start a\n a: ok=b retry=1\n b: ok=e\n end e"),
        "1h",
    ));
    let id = world.run("wf");
    world.usual(id, &[("a", 25), ("b", 20)]);
    world.pass(16 * MINUTE);
    assert_eq!(landing(&world, id).late, None);
    world.fail("a");
    world.tick();
    assert_eq!(blamed(late(&world, id)), Some(("a", Some(16))));
}

#[test]
fn one_that_fails_is_not_late_any_more() {
    let (mut world, id) = begun();
    world.pass(5 * MINUTE);
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    world.pass(100 * MINUTE);
    assert_eq!(
        (&landing(&world, id).late, &landing(&world, id).missed),
        (&None, &None)
    );
}

#[test]
fn the_clean_up_is_part_of_what_is_left() {
    let mut world = World::with_worker();
    let text = "start a\n a: ok=e\n finally z: c\n c: ok=e\n end e";
    world.put(due(workflow("wf", text), "1h"));
    let id = world.run("wf");
    world.usual(id, &[("a", 10), ("c", 30)]);
    world.pass(21 * MINUTE);
    assert_eq!(
        (late(&world, id).at, &*late(&world, id).path),
        (just_after(20), &["a".to_owned(), "c".to_owned()][..])
    );
}

#[test]
fn a_rerun_keeps_the_deadline_and_what_was_said() {
    let (mut world, id) = begun();
    world.pass(61 * MINUTE);
    let before = landing(&world, id).clone();
    world.fail("a");
    world.rerun(id, false).unwrap();
    world.pass(200 * MINUTE);
    assert_eq!(*landing(&world, id), before);
    let (mut world, id) = begun();
    world.pass(6 * MINUTE);
    world.fail("a");
    world.rerun(id, false).unwrap();
    world.pass(36 * MINUTE);
    assert_eq!(
        (late(&world, id).run, late(&world, id).at),
        (2, just_after(28))
    );
    assert_eq!(world.asked, [id]);
}

#[test]
fn a_pause_makes_it_late_as_well() {
    let (mut world, id) = begun();
    world.pass(5 * MINUTE);
    world
        .order(Order::PauseInstance {
            id,
            by: By {
                user: "ann".into(),
                reason: "later".into(),
            },
        })
        .unwrap();
    world.ok("a");
    world.pass(36 * MINUTE);
    assert_eq!(blamed(late(&world, id)), Some(("b", Some(35))));
}

#[test]
fn what_starts_by_itself_has_its_deadline_and_what_people_ask_for_too_late_has_none() {
    let mut world = World::with_worker();
    world.put(due(
        workflow("wf", "start a\n a: ok=e\n end e").cron("0 2 * * *"),
        "08:30",
    ));
    let id = crate::world::instance_of(world.order(Order::Run {
        name: "wf".into(),
        params: Vec::new(),
        fire_time: Some(Timestamp::from_millis(BEGIN - 86_400_000)),
        user: String::new(),
        idempotency: None,
    }));
    assert_eq!(world.row(id).landing, None);
    world.ok("a");
    world.outage(10 * 3600);
    let row = world.instances_of("wf")[1];
    let landing = row.landing.as_ref().unwrap();
    assert_eq!(landing.deadline.as_millis(), BEGIN + 510 * 60_000);
    let id = row.id;
    world.tick();
    let missed = self::landing(&world, id).missed.as_ref().unwrap();
    assert_eq!(blamed(missed), None, "it had not begun by then");
}

#[test]
fn a_repair_that_adds_work_is_reckoned_with() {
    for is_waiting in [false, true] {
        let mut world = World::with_worker();
        world.put(chain().limit(1));
        if is_waiting {
            world.run("wf");
        }
        let id = world.run("wf");
        world.usual(id, &[("a", 11), ("b", 20), ("c", 15)]);
        let text = "start a\n a: ok=b\n b: ok=c\n c: ok=e\n end e";
        world.put(due(workflow("wf", text), "9h").limit(1));
        let repair = Order::Repair {
            id,
            workflow: None,
            is_dry_run: false,
            by: By::default(),
        };
        world.order(repair).unwrap();
        world.pass(46 * MINUTE);
        let minutes = if is_waiting { 14 } else { 18 };
        assert_eq!(late(&world, id).at, just_after(minutes));
        assert_eq!(late(&world, id).path, ["a", "b", "c"]);
    }
}

#[test]
fn what_took_no_time_at_all_is_part_of_the_path() {
    let (mut world, id) = begun();
    world.ok("a");
    world.pass(60 * MINUTE);
    assert_eq!(late(&world, id).path, ["a", "b"]);
}

#[test]
fn a_child_that_takes_too_long_is_noticed_like_an_action() {
    let mut world = World::with_worker();
    world.put(single("child"));
    let text = "start s\n s: sub=child ok=b\n b: ok=e\n end e";
    world.put(due(workflow("wf", text), "1h"));
    let id = world.run("wf");
    world.usual(id, &[("s", 10), ("b", 20)]);
    assert_eq!(world.engine.next_deadline(), Some(just_after(25)));
    world.pass(26 * MINUTE);
    assert_eq!(blamed(late(&world, id)), Some(("s", Some(15))));
}
