use akkaflow_engine::{Effect, Input, Order, OutcomeKind};
use akkaflow_model::command::Answer;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::{InstanceId, RequestId};
use akkaflow_model::message::Message;
use akkaflow_model::record::{CancelReason, TriggerKind};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;

use crate::world::{BEGIN, Change, World, instance_of, run, single, workflow};

#[test]
fn run_overrides_the_coordinators_parameters() {
    let mut world = World::with_worker();
    world.put(single("wf").params(&[
        ("day", "${time.today|yyyy-MM-dd}"),
        ("path", "/data/${param:day}"),
    ]));
    let id = instance_of(world.order(Order::Run {
        name: "wf".into(),
        params: vec![
            ("day".into(), "2020-02-02".into()),
            ("x".into(), "1".into()),
        ],
        fire_time: None,
        idempotency: None,
        user: String::new(),
    }));
    let dispatch = world.take("a");
    assert_eq!(dispatch.params, world.row(id).params);
    let value = |name: &str| {
        dispatch
            .params
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(value("day"), Some("2020-02-02"));
    assert_eq!(value("path"), Some("/data/2020-02-02"));
    assert_eq!(value("x"), Some("1"));
}

#[test]
fn run_uses_the_given_date() {
    let mut world = World::with_worker();
    world.put(single("wf").params(&[("day", "${time.today|yyyy-MM-dd}")]));
    let id = instance_of(world.order(Order::Run {
        name: "wf".into(),
        params: Vec::new(),
        fire_time: Some(Timestamp::from_millis(BEGIN - 1)),
        idempotency: None,
        user: String::new(),
    }));
    assert_eq!(world.row(id).params[0].1, "2025-12-31");
    assert_eq!(world.row(id).trigger, TriggerKind::Run);
}

fn keyed(key: &str, hash: &str) -> Order {
    Order::Run {
        name: "wf".into(),
        params: Vec::new(),
        fire_time: None,
        idempotency: Some((key.into(), hash.into())),
        user: String::new(),
    }
}

#[test]
fn repeated_request_gets_the_same_answer() {
    let mut world = World::with_worker();
    world.put(single("wf").limit(9));
    let first = instance_of(world.order(keyed("k", "h")));
    world.restart();
    world.pass(6 * 24 * 3600);
    assert_eq!(instance_of(world.order(keyed("k", "h"))), first);
    let refused = world.order(keyed("k", "other")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert_ne!(instance_of(world.order(keyed("k2", "h"))), first);
    world.pass(2 * 24 * 3600);
    assert_ne!(instance_of(world.order(keyed("k", "h"))), first);
}

#[test]
fn unknown_names_are_refused_in_the_words_of_akkaflow() {
    let mut world = World::new();
    world.put(single("plain"));
    assert_eq!(world.refused(run("x")), "未找到名称为[x]的工作流");
    let trigger = |name: &str| Order::Trigger {
        name: name.into(),
        ignore_nodes: Vec::new(),
        fire_time: None,
        user: String::new(),
    };
    assert_eq!(world.refused(trigger("x")), "工作流[x]不存在");
    assert_eq!(world.refused(trigger("plain")), "工作流[plain]未配置调度");
    let blood = |name: &str| Order::TriggerBlood {
        name: name.into(),
        fire_time: None,
        user: String::new(),
    };
    assert_eq!(world.refused(blood("x")), "工作流[x]不存在");
    let reset = |name: &str| Order::ResetWorkflow { name: name.into() };
    assert_eq!(world.refused(reset("plain")), "工作流[plain]未配置调度");
    assert_eq!(world.refused(reset("x")), "工作流[x]不存在");
    let delete = Order::DeleteWorkflow { name: "x".into() };
    assert_eq!(world.refused(delete), "工作流x不存在");
}

#[test]
fn trigger_passes_over_the_named_nodes() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e").after(&[]));
    let id = instance_of(world.order(Order::Trigger {
        name: "wf".into(),
        ignore_nodes: vec!["a".into()],
        fire_time: None,
        user: String::new(),
    }));
    assert_eq!(world.running_nodes(), "b");
    assert_eq!(world.node(id, "a").message, Some(Message::Ignored));
    assert_eq!(world.row(id).trigger, TriggerKind::Trigger);
}

#[test]
fn kill_is_answered_once_everything_is_gone() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start f\n fork f: a b\n a: ok=e\n b: ok=e retry=3\n end e",
    ));
    let id = world.run("wf");
    let first = world.kill(id);
    let second = world.kill(id);
    assert!(world.replies.len() == 2 && !world.replies.contains_key(&first));
    assert!(
        world
            .cancelled
            .iter()
            .all(|(_, reason)| *reason == CancelReason::InstanceEnding)
    );
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Running);
    world.fail("b");
    assert_eq!(world.state(id), InstanceState::Killed);
    assert_eq!(
        world.row(id).message,
        Some(Message::KilledBy { user: "ann".into() })
    );
    for request in [first, second] {
        assert_eq!(world.replies[&request], Ok(Answer::Done));
    }
}

#[test]
fn kill_with_nothing_running_is_answered_at_once() {
    let mut world = World::new();
    world.put(single("wf"));
    let id = world.run("wf");
    let request = world.kill(id);
    assert_eq!(world.replies[&request], Ok(Answer::Done));
    let again = world.kill(id);
    assert_eq!(
        world.replies[&again].clone().unwrap_err().text.zh,
        format!("[工作流实例：{id}]不存在，不能kill掉")
    );
}

#[test]
fn kill_in_flight_survives_a_restart() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    world.kill(id);
    world.restart();
    let key = world.running[0].key.clone();
    world.cancelled.clear();
    world.attach_again("w", 10, 1, &[key]);
    assert_eq!(world.cancelled.len(), 1);
    let request = world.kill(id);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Killed);
    assert!(world.replies[&request].is_ok());
}

#[test]
fn open_instances_are_not_deleted() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let first = world.run("wf");
    let second = world.run("wf");
    let delete = |id, is_stored| Order::DeleteInstance { id, is_stored };
    assert_eq!(
        world.refused(delete(first, true)),
        format!("工作流{first}运行中，无法删除，请先杀死")
    );
    assert_eq!(
        world.refused(delete(second, true)),
        format!("工作流{second}在等待队列，无法删除，请先移除")
    );
    world.run_out();
    world.order(delete(first, true)).unwrap();
    assert!(!world.rows.instances.contains_key(&first));
    assert_eq!(
        world.refused(delete(InstanceId::from_u128(9), false)),
        "无效实例id"
    );
}

#[test]
fn what_is_old_goes_but_nothing_that_is_open() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let old = world.run("wf");
    world.ok("a");
    let rerun = world.run("wf");
    world.ok("a");
    // Somebody reruns one between the look at the store and the order.
    world.rerun(rerun, false).unwrap();
    let due = world.now.plus(std::time::Duration::from_millis(1));
    let expire = Order::Expire {
        workflow: "wf".into(),
        instances: vec![old, rerun],
        fires_before: Some(due),
    };
    assert_eq!(world.order(expire), Ok(Answer::Done));
    assert_eq!(
        world.rows.instances.keys().collect::<Vec<_>>(),
        [&rerun],
        "the open one stays"
    );
    let fires: Vec<_> = world.rows.fires.values().map(|row| row.instance).collect();
    assert_eq!(fires, [Some(rerun)]);
    world.ok("a");
    assert_eq!(world.row(rerun).state, InstanceState::Succeeded);
}

#[test]
fn who_watches_an_instance_hears_that_it_has_changed() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let input = Input::Order {
        request: RequestId(99),
        order: run("wf"),
    };
    let step = world.engine.step(world.now, input);
    let is_told = |effect: &Effect| matches!(effect, Effect::Changed { .. });
    assert_eq!(step.effects.iter().filter(|it| is_told(it)).count(), 1);
}
