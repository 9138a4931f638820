//! Who goes first, on which worker, and what pools allow.

use crate::world::{Change, World, workflow};

/// One action with the words of its line.
fn with(name: &str, words: &str) -> akkaflow_model::definition::Workflow {
    workflow(
        name,
        &format!("start {name}-a\n {name}-a: ok=e {words}\n end e"),
    )
    .limit(1_000_000)
}

#[test]
fn the_greater_priority_goes_first() {
    let mut world = World::new();
    for (name, words) in [
        ("low", "priority=-1"),
        ("middle", ""),
        ("high", "priority=3"),
    ] {
        world.put(with(name, words));
        world.run(name);
    }
    world.attach("w", 1);
    for name in ["high-a", "middle-a", "low-a"] {
        assert_eq!(world.running_nodes(), name);
        world.ok(name);
    }
}

#[test]
fn the_priority_of_the_workflow_holds_where_a_node_has_none() {
    let mut world = World::new();
    world.put(with("first", ""));
    let mut urgent = with("urgent", "");
    urgent.priority = 1;
    world.put(urgent.versioned());
    world.run("first");
    world.run("urgent");
    world.attach("w", 1);
    assert_eq!(world.running_nodes(), "urgent-a");
}

#[test]
fn a_low_priority_is_dispatched_within_a_bounded_number_of_dispatches() {
    let mut world = World::new();
    world.put(with("low", ""));
    world.put(with("high", "priority=5"));
    world.attach("w", 1);
    world.run("high");
    world.run("high");
    world.run("low");
    // Each takes ten seconds, and there is always another one with a higher priority that waits.
    let mut overtaken = 0;
    while world.running_nodes() == "high-a" {
        world.run("high");
        world.pass(10);
        world.ok("high-a");
        overtaken += 1;
        assert!(overtaken <= 5 * 60 / 10 + 3, "it starves");
    }
    assert_eq!(world.running_nodes(), "low-a");
    assert!(overtaken >= 29, "its priority counts for nothing");
}

#[test]
fn a_node_runs_only_where_all_its_labels_are() {
    let mut world = World::new();
    world.put(with("wf", "labels=gpu+large"));
    let id = world.run("wf");
    world.attach_with("a", 1, &["gpu"]);
    assert_eq!(world.why(id, "wf-a"), ["no_worker"]);
    let said = world.node(id, "wf-a").message.clone().unwrap();
    let said = said.render(akkaflow_model::text::Lang::En);
    assert!(said.contains("labels `gpu large`"), "{said}");
    world.attach_with("b", 1, &["large", "gpu", "other"]);
    assert_eq!(world.take("wf-a").worker.0, "b");
    world.run("wf");
    let waiting = world.run("wf");
    assert_eq!(world.why(waiting, "wf-a"), ["no_free_slot"]);
}

#[test]
fn labels_and_host_must_both_fit() {
    let mut world = World::new();
    world.put(with("wf", "labels=gpu host=host-a"));
    world.attach_with("b", 1, &["gpu"]);
    world.attach_with("a", 1, &[]);
    let id = world.run("wf");
    assert_eq!(world.why(id, "wf-a"), ["no_worker"]);
    world.detach("a");
    world.attach_with("a", 1, &["gpu"]);
    assert_eq!(world.running_nodes(), "wf-a");
}

#[test]
fn a_pool_lets_in_as_many_as_it_has_slots() {
    let mut world = World::with_worker();
    world.set_pool("db", Some(3));
    world.put(with("wf", "pool=db*2"));
    world.put(with("other", ""));
    let first = world.run("wf");
    let second = world.run("wf");
    world.run("other");
    assert_eq!(world.running_nodes(), "other-a wf-a");
    assert_eq!(world.why(second, "wf-a"), ["pool_full"]);
    use akkaflow_engine::ExplainObject;
    let reasons = world.engine.explain(&ExplainObject::Instance(second));
    assert!(
        reasons[0].text.en.contains(&first.to_string()),
        "{reasons:?}"
    );
    let of_workflow = world.engine.explain(&ExplainObject::Workflow("wf".into()));
    let said = (of_workflow[0].code, &of_workflow[0].text.en);
    let told = format!("node `wf-a` of instance {second}: {}", reasons[0].text.en);
    assert_eq!(said, ("pool_full", &told));
    let holds: Vec<_> = world.running.iter().map(|it| it.key.clone()).collect();
    world.restart();
    world.attach_again("w", 10, 1, &holds);
    assert_eq!(
        world.why(second, "wf-a"),
        ["pool_full"],
        "over a change of masters too"
    );
    world.ok("wf-a");
    assert!(world.why(second, "wf-a").is_empty());
    assert_eq!(world.running_nodes(), "other-a wf-a");
}

#[test]
fn a_pool_may_be_defined_and_changed_while_nodes_wait() {
    let mut world = World::with_worker();
    world.put(with("wf", "pool=db*2"));
    let id = world.run("wf");
    assert_eq!(world.why(id, "wf-a"), ["pool_unknown"]);
    world.set_pool("db", Some(1));
    assert_eq!(world.why(id, "wf-a"), ["pool_too_small"]);
    world.set_pool("db", Some(2));
    assert_eq!(world.running_nodes(), "wf-a");
    world.set_pool("db", Some(0));
    let second = world.run("wf");
    assert_eq!(world.running_nodes(), "wf-a", "what runs goes on");
    assert_eq!(world.why(second, "wf-a"), ["pool_too_small"]);
    world.set_pool("db", None);
    assert_eq!(world.why(second, "wf-a"), ["pool_unknown"]);
    let unknown = akkaflow_engine::Order::SetPool {
        name: "x".into(),
        slots: None,
        user: String::new(),
    };
    assert_eq!(world.refused(unknown), "资源池[x]不存在");
}

#[test]
fn those_that_need_little_do_not_starve_one_that_needs_much() {
    let mut world = World::with_worker();
    world.set_pool("db", Some(2));
    world.put(with("small", "pool=db"));
    world.put(with("large", "pool=db*2"));
    world.run("small");
    let large = world.run("large");
    let later = world.run("small");
    assert_eq!(world.running_nodes(), "small-a");
    assert_eq!(world.why(later, "small-a"), ["pool_behind"]);
    world.ok("small-a");
    assert_eq!(world.running_nodes(), "large-a");
    world.kill(large);
    let killed = world.take("large-a");
    world.report(&killed, akkaflow_engine::OutcomeKind::Cancelled);
    assert_eq!(world.running_nodes(), "small-a");
}

#[test]
fn one_that_no_worker_can_take_keeps_nobody_out_of_a_pool() {
    let mut world = World::new();
    world.attach_with("gpu", 2, &["gpu"]);
    world.attach("w", 10);
    world.set_pool("db", Some(2));
    world.put(with("small", "pool=db"));
    world.put(with("large", "pool=db*2 labels=gpu"));
    world.run("small");
    world.run("large");
    let later = world.run("small");
    assert_eq!(world.why(later, "small-a"), ["pool_behind"]);
    world.detach("gpu");
    assert_eq!(world.running_nodes(), "small-a small-a");
}

#[test]
fn nobody_waits_in_a_pool_behind_one_that_waits_there_no_more() {
    let mut world = World::new();
    world.attach("w", 2);
    world.set_pool("db", Some(2));
    world.put(with("small", "pool=db"));
    world.put(with("large", "pool=db*2"));
    world.put(with("urgent", "pool=db*2 priority=5"));
    world.put(with("other", "priority=9"));
    world.run("small");
    let large = world.run("large");
    world.run("small");
    // The other slot is taken, so that the one that comes before them all waits for a worker, not for room.
    world.run("other");
    let urgent = world.run("urgent");
    world.kill(large);
    world.kill(urgent);
    world.ok("other-a");
    assert_eq!(world.running_nodes(), "small-a small-a");
}

#[test]
fn a_pool_that_is_set_to_what_it_is_stays_as_it_was_written() {
    let mut world = World::with_worker();
    world.set_pool("db", Some(3));
    let before = world.rows.pools["db"].clone();
    world.pass(60);
    world.set_pool("db", Some(3));
    assert_eq!(world.rows.pools["db"], before);
}
