//! What nodes hand on, and which values parameters take.

use akkaflow_engine::{Order, OutcomeKind, RerunFrom};
use akkaflow_model::definition::{ParamRule, ParamType};
use akkaflow_model::message::Message;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;

use crate::world::{Change, World, how, run, single, workflow};

const TEXT: &str = "start a
    a: ok=b output=rows:integer retry=1
    b: ok=e body=${output:a.rows}
    end e";

fn said(world: &World, id: akkaflow_model::id::InstanceId, node: &str) -> String {
    let message = world.node(id, node).message.clone();
    message.map_or_else(String::new, |message| message.render(Lang::En))
}

#[test]
fn an_output_reaches_the_body_of_a_later_node() {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    let id = world.run("wf");
    assert_eq!(world.running[0].outputs, ["rows"]);
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    world.hand_on("a", &[("rows", "41"), ("other", "x"), ("rows", "42")]);
    assert_eq!(
        said(&world, id, "a"),
        "succeeded; outputs that the node does not declare are ignored: other"
    );
    assert_eq!(
        world.node(id, "a").outputs,
        [("rows".to_owned(), "42".to_owned())]
    );
    let dispatch = world.take("b");
    assert_eq!(dispatch.body.text(), "42");
}

#[test]
fn a_success_without_what_it_declares_is_a_failure_that_is_tried_again() {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    let id = world.run("wf");
    world.hand_on("a", &[("row", "1")]);
    assert_eq!(world.running_nodes(), "a");
    world.hand_on("a", &[("rows", "many")]);
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(
        said(&world, id, "a"),
        "output `rows` is of type integer, such as `0`; it cannot be `many`"
    );
    let first = world
        .rows
        .attempts
        .values()
        .next()
        .unwrap()
        .message
        .clone()
        .unwrap();
    assert_eq!(
        first.render(Lang::En),
        "the action handed on no output `rows`, which the node declares, but: row"
    );
}

#[test]
fn a_success_with_a_value_of_another_type_is_not_tried_again() {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    let id = world.run("wf");
    world.hand_on("a", &[("rows", "many")]);
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn an_output_that_is_not_there_fails_its_user_by_name() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        &TEXT.replace("output=rows:integer", "ignore output=rows:integer"),
    ));
    let id = world.run("wf");
    assert_eq!(world.node_state(id, "b"), NodeState::Failed);
    assert!(said(&world, id, "b").starts_with("node `a` has handed on no output `rows`"));
}

#[test]
fn a_rerun_from_the_failed_node_keeps_outputs_unless_more_are_declared() {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    let id = world.run("wf");
    world.hand_on("a", &[("rows", "7")]);
    world.fail("b");
    world.rerun(id, true).unwrap();
    assert_eq!(world.take("b").body.text(), "7");
    world.kill(id);
    world.pass(1);
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    let id = world.run("wf");
    world.hand_on("a", &[("rows", "7")]);
    world.fail("b");
    world.put(workflow(
        "wf",
        &TEXT.replace("rows:integer", "rows:integer output=max"),
    ));
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "a");
}

#[test]
fn a_rerun_from_a_node_keeps_the_outputs_of_what_stays() {
    let mut world = World::with_worker();
    let text = "start a\n a: ok=b output=rows\n b: ok=c output=rows\n c: ok=e body=${output:a.rows}-${output:b.rows}\n end e";
    world.put(workflow("wf", text));
    let id = world.run("wf");
    world.hand_on("a", &[("rows", "1")]);
    world.hand_on("b", &[("rows", "2")]);
    world.ok("c");
    let stored = world.stored(id);
    let how = how(RerunFrom::Nodes(vec!["b".to_owned()]), None);
    world.order(Order::Rerun { id, stored, how }).unwrap();
    world.restart();
    assert_eq!(
        world.node(id, "a").outputs,
        [("rows".to_owned(), "1".to_owned())]
    );
    world.attach("w", 10);
    world.hand_on("b", &[("rows", "3")]);
    assert_eq!(world.take("c").body.text(), "1-3");
}

#[test]
fn a_marked_node_hands_nothing_on_and_stays_in_a_rerun() {
    let mut world = World::with_worker();
    let text = "start a\n a: ok=b output=rows\n b: ok=c\n c: ok=e body=${output:a.rows}\n end e";
    world.put(workflow("wf", text));
    let id = world.run("wf");
    world.mark(id, "a", false).unwrap();
    world.finish("a", OutcomeKind::Cancelled);
    world.ok("b");
    assert!(said(&world, id, "c").starts_with("node `a` has handed on no output `rows`"));
    assert_eq!(world.state(id), InstanceState::Failed);
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "", "neither `a` nor `b` runs again");
    assert_eq!(world.node_state(id, "c"), NodeState::Failed);
}

#[test]
fn the_conditions_of_a_node_that_cannot_be_decided_leave_no_output() {
    let mut world = World::with_worker();
    let text = "start a\n a: ok=b[output.a.rows>param.none] output=rows:integer\n b: ok=e\n end e";
    world.put(workflow("wf", text));
    let id = world.run("wf");
    world.hand_on("a", &[("rows", "1")]);
    assert_eq!(world.node_state(id, "a"), NodeState::Failed);
    assert!(world.node(id, "a").outputs.is_empty());
}

fn batch_rule() -> ParamRule {
    ParamRule {
        name: "batch".to_owned(),
        kind: ParamType::Integer,
        max: Some("10".to_owned()),
        is_required: true,
        ..ParamRule::default()
    }
}

fn run_with(batch: &str) -> Order {
    let Order::Run {
        name,
        fire_time,
        idempotency,
        user,
        ..
    } = run("wf")
    else {
        unreachable!()
    };
    Order::Run {
        name,
        params: vec![("batch".to_owned(), batch.to_owned())],
        fire_time,
        idempotency,
        user,
    }
}

#[test]
fn a_run_whose_parameters_do_not_fit_is_refused() {
    let mut world = World::with_worker();
    world.put(single("wf").rule(batch_rule()));
    let refused = world.refused(run("wf"));
    assert_eq!(refused, "缺少必填参数 `batch`，请在运行时给出");
    let refused = world.refused(run_with("11"));
    assert_eq!(refused, "参数 `batch` 不能大于10，值是 `11`");
    assert!(world.refused(run_with("x")).contains("类型是integer"));
    world.order(run_with("10")).unwrap();
    assert_eq!(world.running_nodes(), "a");
}

#[test]
fn a_fire_whose_parameters_do_not_fit_fails_visibly_and_harms_no_neighbour() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("* * * * *").rule(batch_rule()));
    world.put(single("other").cron("* * * * *"));
    world.pass(60);
    let row = world.instances_of("wf")[0];
    assert_eq!(row.state, InstanceState::Failed);
    assert!(
        matches!(&row.message, Some(Message::Said { text }) if text.en.contains("`batch` is required"))
    );
    assert_eq!(world.instances_of("other").len(), 1);
    world.finish("a", OutcomeKind::Succeeded);
}
