use std::time::Duration;

use akkaflow_engine::{ExplainObject, Input, Order};
use akkaflow_model::command::Answer;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::record::{FileProblemRow, WorkflowStatus};

use crate::world::{Change, World, api, file, file_dropped_at, run, single};

fn created(answer: Result<Answer, akkaflow_model::command::Rejection>) -> bool {
    match answer.unwrap() {
        Answer::Put { created, .. } => created,
        other => panic!("{other:?}"),
    }
}

fn delete(name: &str) -> Order {
    Order::DeleteWorkflow { name: name.into() }
}

#[test]
fn put_says_whether_the_workflow_is_new() {
    let mut world = World::new();
    assert!(created(world.put_from(single("wf"), api())));
    assert!(!created(world.put_from(single("wf"), api())));
    assert!(!created(world.put_from(single("wf").limit(2), api())));
}

#[test]
fn same_content_again_writes_nothing() {
    let mut world = World::new();
    world.put_from(single("wf"), file("a.xml")).unwrap();
    world.pass(10);
    let before = world.rows.workflows["wf"].clone();
    world.put_from(single("wf"), file("a.xml")).unwrap();
    assert_eq!(world.rows.workflows["wf"], before);
}

#[test]
fn first_file_owns_a_name() {
    let mut world = World::new();
    world.put_from(single("wf"), file("a.xml")).unwrap();
    let refused = world
        .put_from(single("wf").limit(3), file("b.xml"))
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(refused.text.en.contains("a.xml"));
    let refused = world.put_from(single("wf").limit(3), api()).unwrap_err();
    assert!(refused.text.zh.contains("a.xml"));
    world.input(Input::FileGone {
        path: "a.xml".into(),
    });
    assert_eq!(world.rows.workflows["wf"].status, WorkflowStatus::FileGone);
    world
        .put_from(single("wf").limit(3), file("b.xml"))
        .unwrap();
    let row = &world.rows.workflows["wf"];
    assert_eq!(
        (row.status, row.file_path.as_deref()),
        (WorkflowStatus::Live, Some("b.xml"))
    );
}

#[test]
fn workflow_whose_file_is_gone_keeps_running_and_comes_back_with_it() {
    let mut world = World::with_worker();
    world
        .put_from(single("wf").cron("0 * * * *"), file("a.xml"))
        .unwrap();
    world.input(Input::FileGone {
        path: "a.xml".into(),
    });
    world.pass(3600);
    assert_eq!(world.instances_of("wf").len(), 1);
    world
        .put_from(single("wf").cron("0 * * * *"), file("a.xml"))
        .unwrap();
    assert_eq!(world.rows.workflows["wf"].status, WorkflowStatus::Live);
}

#[test]
fn file_that_now_defines_another_name_leaves_the_first_without_file() {
    let mut world = World::new();
    world.put_from(single("old"), file("a.xml")).unwrap();
    world.put_from(single("new"), file("a.xml")).unwrap();
    assert_eq!(world.rows.workflows["old"].status, WorkflowStatus::FileGone);
    assert_eq!(world.rows.workflows["new"].status, WorkflowStatus::Live);
}

#[test]
fn deleted_workflow_comes_back_only_with_changed_content() {
    let mut world = World::new();
    world.put_from(single("wf"), file("a.xml")).unwrap();
    world.order(delete("wf")).unwrap();
    assert_eq!(world.refused(delete("wf")), "工作流wf不存在");
    let refused = world.put_from(single("wf"), file("a.xml")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    world.restart();
    world.put_from(single("wf"), file("a.xml")).unwrap_err();
    assert!(created(
        world.put_from(single("wf").limit(2), file("a.xml"))
    ));
}

#[test]
fn deleted_workflow_comes_back_with_its_file_dropped_in_again_or_dropped_elsewhere() {
    for path in ["a.xml", "b.xml"] {
        let mut world = World::new();
        world.put_from(single("wf"), file("a.xml")).unwrap();
        world.pass(60);
        world.order(delete("wf")).unwrap();
        let deleted_at = world.rows.workflows["wf"].updated_at;
        let at_once = file_dropped_at(path, deleted_at);
        world.put_from(single("wf"), at_once).unwrap_err();
        world.pass(60);
        let later = file_dropped_at(path, deleted_at.plus(Duration::from_millis(1)));
        assert!(created(world.put_from(single("wf"), later)));
        let row = &world.rows.workflows["wf"];
        assert_eq!(row.file_path.as_deref(), Some(path));
        assert!(row.updated_at > deleted_at);
    }
}

#[test]
fn whoever_asks_for_a_deleted_workflow_is_told_what_brings_it_back() {
    let mut world = World::new();
    world.put_from(single("wf"), file("a.xml")).unwrap();
    world.order(delete("wf")).unwrap();
    let refused = world.refused(run("wf"));
    assert!(
        refused.starts_with("未找到名称为[wf]的工作流：已于"),
        "{refused}"
    );
    assert!(refused.contains("a.xml"), "{refused}");
    let why = world.engine.explain(&ExplainObject::Workflow("wf".into()));
    assert!(
        why[0]
            .text
            .en
            .contains("its file a.xml has not changed since"),
        "{why:?}"
    );
}

#[test]
fn deleted_workflow_does_not_fire_and_its_past_is_past_when_it_comes_back() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("0 * * * *"));
    world.order(delete("wf")).unwrap();
    world.pass(5 * 3600);
    world.put(single("wf").cron("0 * * * *"));
    world.tick();
    assert!(world.instances_of("wf").is_empty());
    world.pass(3600);
    assert_eq!(world.instances_of("wf").len(), 1);
}

#[test]
fn workflow_in_use_is_not_deleted() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    world.put(single("down2").after(&["wf"]));
    world.put(single("down1").after(&["wf"]));
    assert_eq!(
        world.refused(delete("wf")),
        "该工作流被其他工作流所依赖: down1,down2"
    );
    world.order(delete("down1")).unwrap();
    world.order(delete("down2")).unwrap();
    world.run("wf");
    assert_eq!(world.refused(delete("wf")), "该工作流实例正在运行中");
    world.run_out();
    world.put(single("wf").limit(0));
    world.run("wf");
    assert_eq!(world.refused(delete("wf")), "该工作流有实例处于就绪中");
}

#[test]
fn problem_of_a_file_is_kept_until_the_file_is_good_or_gone() {
    let mut world = World::new();
    world.put_from(single("wf"), file("a.xml")).unwrap();
    let problem = |path: &str| {
        Input::FileProblem(FileProblemRow {
            path: path.into(),
            workflow: None,
            found_at: world_begin(),
            findings: Vec::new(),
        })
    };
    world.input(problem("a.xml"));
    world.input(problem("b.xml"));
    assert_eq!(world.rows.problems.len(), 2);
    let named = |path: &str| world.rows.problems[path].workflow.as_deref();
    assert_eq!((named("a.xml"), named("b.xml")), (Some("wf"), None));
    assert_eq!(
        world.rows.workflows["wf"].status,
        WorkflowStatus::Live,
        "the last good version stays"
    );
    world.put_from(single("wf"), file("a.xml")).unwrap();
    world.input(Input::FileGone {
        path: "b.xml".into(),
    });
    assert!(world.rows.problems.is_empty());
}

#[test]
fn a_problem_that_is_found_again_writes_nothing() {
    let mut world = World::new();
    let problem = |found_at| {
        Input::FileProblem(FileProblemRow {
            path: "a.xml".into(),
            workflow: None,
            found_at,
            findings: Vec::new(),
        })
    };
    world.input(problem(world_begin()));
    world.input(problem(
        world_begin().plus(std::time::Duration::from_secs(5)),
    ));
    assert_eq!(world.rows.problems["a.xml"].found_at, world_begin());
}

fn world_begin() -> akkaflow_model::time::Timestamp {
    akkaflow_model::time::Timestamp::from_millis(crate::world::BEGIN)
}

#[test]
fn instance_keeps_the_definition_it_began_with() {
    let mut world = World::with_worker();
    world.put(crate::world::workflow(
        "wf",
        "start a\n a: ok=b\n b: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.put(single("wf"));
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    world.ok("a");
    assert_eq!(world.running_nodes(), "b");
    world.ok("b");
    assert!(world.state(id).is_terminal());
}
