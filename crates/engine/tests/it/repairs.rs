//! An open instance goes on with another definition.

use std::sync::Arc;

use akkaflow_engine::{Order, OutcomeKind, RerunFrom};
use akkaflow_model::command::{Answer, By, ChangeKind};
use akkaflow_model::definition::{FailurePolicy, Workflow};
use akkaflow_model::id::InstanceId;
use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{Change, World, how, workflow};

fn wf(text: &str) -> Workflow {
    workflow("wf", text)
}

/// `a` has failed once and waits for its next try, `b` runs.
fn broken() -> (World, InstanceId) {
    let mut world = World::with_worker();
    world.put(wf(
        "start f\n fork f: a b\n a: ok=j retry=5 interval=60 body=bad\n b: ok=j\n join j: c\n c: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.fail("a");
    (world, id)
}

fn repair(
    world: &mut World,
    id: InstanceId,
    is_dry_run: bool,
    text: &str,
) -> Result<Answer, String> {
    let workflow = Arc::new(wf(text));
    world
        .definitions
        .insert(workflow.version.clone(), Arc::clone(&workflow));
    world
        .order(Order::Repair {
            id,
            workflow: Some(workflow),
            is_dry_run,
            by: By::default(),
        })
        .map_err(|rejection| rejection.text.en)
}

fn changes(answer: Result<Answer, String>) -> (bool, String) {
    let Ok(Answer::Repair {
        is_applied,
        changes,
        ..
    }) = answer
    else {
        panic!("{answer:?}");
    };
    let shown: Vec<String> = changes
        .iter()
        .map(|change| {
            let refused = if change.refusal.is_some() { "!" } else { "" };
            format!("{}:{}{refused}", change.node, change.kind.as_str())
        })
        .collect();
    (is_applied, shown.join(" "))
}

const MENDED: &str = "start f\n fork f: a b\n a: ok=j retry=5 interval=60 body=good\n b: ok=j\n join j: d\n d: ok=e\n end e";

#[test]
fn the_difference_is_shown_first_and_changes_nothing() {
    let (mut world, id) = broken();
    let version = world.row(id).version.clone();
    let answer = repair(&mut world, id, true, MENDED);
    assert_eq!(
        changes(answer),
        (false, "a:changed j:rewired d:added c:removed".to_owned())
    );
    assert_eq!(world.row(id).version, version);
}

#[test]
fn what_has_not_succeeded_runs_as_mended_while_another_branch_runs() {
    let (mut world, id) = broken();
    let b = world.take("b");
    assert!(changes(repair(&mut world, id, false, MENDED)).0);
    world.restart();
    world.attach_again("w", 10, 1, std::slice::from_ref(&b.key));
    world.pass(60);
    let a = world.take("a");
    assert_eq!(a.key.attempt, 2, "its earlier attempt stays");
    world.report(&b, OutcomeKind::Succeeded);
    world.report(&a, OutcomeKind::Succeeded);
    assert_eq!(world.running_nodes(), "d");
    world.ok("d");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_node_that_runs_can_neither_change_nor_go() {
    let (mut world, id) = broken();
    let changed = "start f\n fork f: a b\n a: ok=j\n b: ok=j body=other\n join j: e\n end e";
    let refusal = repair(&mut world, id, false, changed).unwrap_err();
    assert!(refusal.contains("node `b` is running"), "{refusal}");
    assert_eq!(
        changes(repair(&mut world, id, true, changed)),
        (false, "a:changed b:changed! j:rewired c:removed".to_owned())
    );
    let gone = "start a\n a: ok=e\n end e";
    assert!(repair(&mut world, id, false, gone).is_err());
    let rewired = "start f\n fork f: a b\n a: ok=j retry=5 interval=60 body=bad\n b: ok=c\n join j: c\n c: ok=e\n end e";
    assert!(
        changes(repair(&mut world, id, false, rewired)).0,
        "where it leads may change"
    );
}

#[test]
fn a_node_that_waits_may_go_and_its_row_says_so() {
    let (mut world, id) = broken();
    let without = "start f\n fork f: b\n b: ok=c\n c: ok=e\n end e";
    assert!(changes(repair(&mut world, id, false, without)).0);
    assert_eq!(world.node_state(id, "a"), NodeState::Killed);
    world.ok("b");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn what_was_gone_through_comes_back_as_it_was() {
    for is_restarted in [false, true] {
        let (mut world, id) = broken();
        let before = world.node(id, "f").clone();
        let without = "start b\n b: ok=c\n c: ok=e\n end e";
        assert!(changes(repair(&mut world, id, false, without)).0);
        world.pass(10);
        if is_restarted {
            world.take_over();
        }
        let with = "start f\n fork f: b d\n b: ok=j\n d: ok=j\n join j: c\n c: ok=e\n end e";
        assert!(changes(repair(&mut world, id, false, with)).0);
        assert_eq!(*world.node(id, "f"), before);
        world.run_out();
        assert_eq!(world.state(id), InstanceState::Succeeded);
    }
}

#[test]
fn a_name_that_was_gone_through_stays_with_its_kind() {
    let (mut world, id) = broken();
    let without = "start b\n b: ok=c\n c: ok=e\n end e";
    assert!(changes(repair(&mut world, id, false, without)).0);
    let other = "start b\n b: ok=f\n f: ok=c\n c: ok=e\n end e";
    let refusal = repair(&mut world, id, false, other).unwrap_err();
    assert!(refusal.contains("`f` was reached"), "{refusal}");
}

#[test]
fn a_node_that_comes_back_goes_on_counting_its_tries() {
    for is_restarted in [false, true] {
        let (mut world, id) = broken();
        let without = "start f\n fork f: b\n b: ok=c\n c: ok=e\n end e";
        assert!(changes(repair(&mut world, id, false, without)).0);
        if is_restarted {
            world.take_over();
        }
        let behind =
            "start f\n fork f: b\n b: ok=a\n a: ok=c retry=5 interval=60\n c: ok=e\n end e";
        assert!(changes(repair(&mut world, id, false, behind)).0);
        if is_restarted {
            world.take_over();
        }
        world.ok("b");
        let dispatch = world.take("a");
        assert_eq!(dispatch.key.attempt, 2);
        assert_eq!(world.node(id, "a").failures, 1);
        world.report(&dispatch, OutcomeKind::Succeeded);
        world.ok("c");
        assert_eq!(world.state(id), InstanceState::Succeeded);
    }
}

#[test]
fn a_branch_that_a_finished_fork_gains_starts_at_once() {
    let (mut world, id) = broken();
    let more = "start f\n fork f: a b x\n a: ok=j retry=5 interval=60 body=bad\n b: ok=j\n x: ok=j\n join j: c\n c: ok=e\n end e";
    assert!(changes(repair(&mut world, id, false, more)).0);
    assert_eq!(world.running_nodes(), "b x");
}

#[test]
fn what_has_run_must_still_be_led_to() {
    let mut world = World::with_worker();
    world.put(wf("start a\n a: ok=b\n b: ok=c\n c: ok=e\n end e"));
    let id = world.run("wf");
    world.ok("a");
    let refusal = repair(&mut world, id, false, "start x\n x: ok=b\n b: ok=e\n end e").unwrap_err();
    assert!(refusal.contains("`a` has run"), "{refusal}");
    let refusal = repair(
        &mut world,
        id,
        false,
        "start c\n c: ok=a\n a: ok=b\n b: ok=e\n end e",
    )
    .unwrap_err();
    assert!(
        refusal.contains("nothing that was gone through leads"),
        "{refusal}"
    );
}

#[test]
fn a_failure_that_was_taken_care_of_stays_so() {
    let mut world = World::with_worker();
    world.put(wf("start a\n a: ok=b error=b\n b: ok=e\n end e"));
    let id = world.run("wf");
    world.fail("a");
    let without = "start f\n fork f: a b\n a: ok=j\n b: ok=j\n join j: e\n end e";
    let (is_applied, shown) = changes(repair(&mut world, id, true, without));
    assert!(!is_applied);
    assert!(shown.contains("a:changed!"), "{shown}");
    let refused = repair(&mut world, id, false, without).unwrap_err();
    assert!(refused.contains("let it keep one"), "{refused}");
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn the_definition_in_force_is_taken_when_none_is_given() {
    let (mut world, id) = broken();
    world.put(wf(MENDED));
    let order = |is_dry_run| Order::Repair {
        id,
        workflow: None,
        is_dry_run,
        by: By::default(),
    };
    let answer = world.order(order(false)).map_err(|it| it.text.en);
    assert!(changes(answer).0);
    let Ok(Answer::Repair { changes, .. }) = world.order(order(true)) else {
        panic!();
    };
    assert!(changes.is_empty());
    assert_eq!(world.row(id).version, wf(MENDED).version);
}

#[test]
fn a_waiting_instance_takes_any_definition_of_its_workflow() {
    let mut world = World::with_worker();
    world.put(wf("start a\n a: ok=e\n end e"));
    world.run("wf");
    let waiting = world.run("wf");
    assert!(
        changes(repair(
            &mut world,
            waiting,
            false,
            "start z\n z: ok=e\n end e"
        ))
        .0
    );
    world.ok("a");
    assert_eq!(world.running_nodes(), "z");
    let other = Order::Repair {
        id: waiting,
        workflow: Some(Arc::new(workflow("other", "start a\n a: ok=e\n end e"))),
        is_dry_run: false,
        by: By::default(),
    };
    assert!(world.order(other).is_err());
}

#[test]
fn an_attempt_keeps_its_place_in_a_pool_and_at_its_worker() {
    let mut world = World::with_worker();
    world.set_pool("db", Some(1));
    world.put(wf("start b\n b: ok=e pool=db\n end e").limit(2));
    let id = world.run("wf");
    let other = world.run("wf");
    let before = "start f\n fork f: a b\n a: ok=e\n b: ok=e pool=db\n end e";
    let refusal = repair(&mut world, id, false, before);
    assert!(changes(refusal).0);
    assert_eq!(world.why(other, "b"), ["pool_full"]);
    world.ok("b");
    assert!(world.why(other, "b").is_empty());
}

#[test]
fn a_rerun_from_a_node_keeps_what_does_not_come_after_it() {
    let mut world = World::with_worker();
    world.put(wf(
        "start f\n fork f: a x\n a: ok=b\n b: ok=j\n x: ok=j\n join j: c\n c: ok=e\n end e",
    ));
    let id = world.run("wf");
    for node in ["a", "b", "x", "c"] {
        world.ok(node);
    }
    assert_eq!(world.state(id), InstanceState::Succeeded);
    let stored = world.stored(id);
    let from = RerunFrom::Nodes(vec!["b".into()]);
    world
        .order(Order::Rerun {
            id,
            stored,
            how: how(from, None),
        })
        .unwrap();
    assert_eq!(world.running_nodes(), "b", "a and x have succeeded before");
    world.ok("b");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    let stored = world.stored(id);
    let unknown = RerunFrom::Nodes(vec!["nothing".into()]);
    let refusal = world.refused(Order::Rerun {
        id,
        stored,
        how: how(unknown, None),
    });
    assert_eq!(refusal, "节点[nothing]不存在");
}

#[test]
fn kinds_of_changes_have_words_of_their_own() {
    let mut words: Vec<&str> = ChangeKind::ALL.iter().map(|kind| kind.as_str()).collect();
    words.dedup();
    assert_eq!(words.len(), 5);
}

#[test]
fn a_repair_brings_the_parameters_of_its_definition() {
    let (mut world, id) = broken();
    let text = "start f\n fork f: a b\n a: ok=j\n b: ok=j\n join j: c\n c: ok=e\n end e";
    let workflow = Arc::new(wf(text).params(&[("region", "north")]));
    world
        .definitions
        .insert(workflow.version.clone(), Arc::clone(&workflow));
    world
        .order(Order::Repair {
            id,
            workflow: Some(workflow),
            is_dry_run: false,
            by: By::default(),
        })
        .unwrap();
    let region = ("region".to_owned(), "north".to_owned());
    assert!(world.row(id).params.contains(&region));
}

#[test]
fn a_decision_that_leads_elsewhere_is_the_same_node() {
    let text = |cases: &str| {
        format!("start a\n a: ok=d\n decision d: {cases}\n b: ok=e\n c: ok=e\n end e")
    };
    let mut world = World::with_worker();
    world.put(wf(&text("param.n=='1'->b ->c")));
    let id = world.run("wf");
    let answer = repair(&mut world, id, true, &text("param.n=='1'->c ->b"));
    assert_eq!(changes(answer), (false, "d:rewired".to_owned()));
}

#[test]
fn what_is_still_to_be_done_is_of_its_new_type_and_what_is_done_of_its_old_one() {
    let (mut world, id) = broken();
    world.ok("b");
    let turned = "start f\n fork f: a b\n a: ok=j mail=told\n b: ok=j mail=told\n join j: c\n c: ok=e\n end e";
    assert!(changes(repair(&mut world, id, false, turned)).0);
    let type_of = |name: &str| world.node(id, name).type_name.clone();
    assert_eq!((&*type_of("a"), &*type_of("b")), ("email", "shell"));
}

#[test]
fn a_failure_that_an_earlier_policy_went_on_from_still_fails_the_instance() {
    let mut world = World::with_worker();
    let all = "start f\n fork f: a b\n a: ok=e\n b: ok=c\n c: ok=e\n end e";
    world.put(wf(all).on_failure(FailurePolicy::FinishPossible));
    let id = world.run("wf");
    world.fail("a");
    let fewer = "start f\n fork f: a b\n a: ok=e\n b: ok=e\n end e";
    assert!(changes(repair(&mut world, id, false, fewer)).0);
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Failed);
}
