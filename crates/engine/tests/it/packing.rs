//! Definitions are packed while nothing of them runs, and made again when something does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use akkaflow_engine::{Definitions, Engine, Input, Order, Packing, Shelf};
use akkaflow_model::check::{Idle, Outline};
use akkaflow_model::definition::Workflow;
use akkaflow_model::id::RequestId;

use crate::world::{Change, World, file, options, single};

/// Counts how often a definition is made again.
#[derive(Debug, Default)]
struct Counting {
    shelf: Shelf,
    made: AtomicUsize,
}

impl Packing for Counting {
    fn pack(&self, workflow: &Arc<Workflow>) -> Box<[u8]> {
        self.shelf.pack(workflow)
    }

    fn unpack(&self, packed: &[u8]) -> Option<Arc<Workflow>> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.shelf.unpack(packed)
    }
}

#[test]
fn definition_is_made_when_it_is_needed_and_not_again_while_it_is_busy() {
    let world = World::new();
    let packing = Arc::new(Counting::default());
    let mut options = options();
    options.packing = packing.clone();
    let mut engine = Engine::load(options, Default::default(), Definitions::default());
    let mut ask = |order| {
        let request = RequestId(1);
        engine.step(world.now, Input::Order { request, order });
        packing.made.load(Ordering::Relaxed)
    };
    let put = Order::PutWorkflow {
        workflow: Arc::new(single("wf").cron("0 0 1 1 *").after(&["up"])),
        origin: file("wf.xml"),
        findings: Vec::new(),
    };
    assert_eq!(ask(put), 0, "scheduling needs no graph");
    for _ in 0..3 {
        let run = Order::Run {
            name: "wf".into(),
            params: Vec::new(),
            fire_time: None,
            idempotency: None,
            user: String::new(),
        };
        assert_eq!(ask(run), 1, "the first instance makes it");
    }
}

#[test]
fn file_whose_content_is_in_force_need_not_be_read_again() {
    let mut world = World::new();
    let workflow = single("wf");
    let version = workflow.version.clone();
    world.put_from(workflow, file("wf.xml")).unwrap();
    assert!(world.engine.is_file_in_force("wf.xml", &version));
    assert!(!world.engine.is_file_in_force("other.xml", &version));
    let other = single("wf").limit(2).version;
    assert!(!world.engine.is_file_in_force("wf.xml", &other));
    world.input(Input::FileGone {
        path: "wf.xml".into(),
    });
    assert!(!world.engine.is_file_in_force("wf.xml", &version));
}

#[test]
fn packed_definition_still_says_why_its_workflow_never_starts_by_itself() {
    let mut world = World::new();
    let plain = single("plain");
    let daily = single("daily").cron("0 0 * * *");
    let disabled = single("disabled").cron("0 0 * * *").disabled();
    let none_at_once = single("none_at_once").cron("0 0 * * *").limit(0);
    let all = [
        (plain, Some(Idle::NoCoordinator)),
        (daily, None),
        (disabled, Some(Idle::Disabled)),
        (none_at_once, Some(Idle::LimitZero)),
    ];
    for (workflow, idle) in all {
        let name = workflow.name.clone();
        assert_eq!(Outline::in_force(&workflow).idle, idle, "{name}");
        world.put_from(workflow, file(&name)).unwrap();
        let definition = world.engine.definition(&name).unwrap();
        assert_eq!(definition.idle(), idle, "{name}");
    }
}
