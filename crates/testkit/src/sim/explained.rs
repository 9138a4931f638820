//! Runnable if and only if nothing is listed: what `explain` says of waiting instances and nodes is held against a judgement
//! of its own, made from the rows that the engine shows.

use std::collections::BTreeMap;

use akkaflow_engine::{Engine, ExplainObject, WorkerView};
use akkaflow_model::backfill::{BackfillRow, RunState};
use akkaflow_model::definition::{ActionNode, NodeKind, Workflow};
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{InstanceRow, NodeRow};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;

use super::nesting::is_own;

type Verdict = Result<(), String>;

/// What is seen of the engine at one moment.
struct Seen<'a> {
    engine: &'a Engine,
    workers: Vec<WorkerView>,
    /// Size and held share of each pool.
    pools: BTreeMap<String, (Option<u32>, u64)>,
    of_workflow: BTreeMap<&'a str, Open>,
}

/// The open instances of one workflow.
#[derive(Default)]
struct Open {
    running: usize,
    /// The one that has waited longest.
    first: Option<(Timestamp, InstanceId)>,
}

fn open_instances(engine: &Engine) -> BTreeMap<&str, Open> {
    let mut all: BTreeMap<&str, Open> = BTreeMap::new();
    for row in engine.open_instances() {
        let open = all.entry(&row.workflow).or_default();
        open.running += usize::from(row.started_at.is_some());
        if row.state == InstanceState::Ready {
            let own = (row.created_at, row.id);
            open.first = Some(open.first.map_or(own, |first| first.min(own)));
        }
    }
    all
}

/// Between two inputs, with nothing due: who waits has a reason that is true, and who has a reason to wait does not run.
pub(crate) fn check_explained(engine: &Engine) -> Verdict {
    let pools = engine.pools().into_iter();
    let seen = Seen {
        engine,
        workers: engine.workers(),
        pools: pools
            .map(|pool| (pool.name, (pool.slots, pool.held)))
            .collect(),
        of_workflow: open_instances(engine),
    };
    for backfill in engine.backfills() {
        seen.check_backfill(backfill)?;
    }
    for instance in engine.open_instances() {
        if instance.state == InstanceState::Ready {
            seen.check_waiting(instance)?;
        }
        for node in engine.nodes(instance.id) {
            seen.check_node(instance, node)?;
        }
    }
    Ok(())
}

impl Seen<'_> {
    fn codes(&self, object: &ExplainObject) -> Vec<&'static str> {
        let reasons = self.engine.explain(object);
        let conditions = reasons.iter().filter(|reason| !reason.is_of_deadline());
        conditions.map(|reason| reason.code).collect()
    }

    fn check_waiting(&self, row: &InstanceRow) -> Verdict {
        let codes = self.codes(&ExplainObject::Instance(row.id));
        let open = &self.of_workflow[row.workflow.as_str()];
        let limit = self
            .engine
            .definition(&row.workflow)
            .map_or(0, |definition| definition.instance_limit());
        let is_runnable = self.engine.frozen().is_none()
            && i64::try_from(open.running).is_ok_and(|running| running < limit)
            && open.first == Some((row.created_at, row.id));
        same(row.id, "", is_runnable, &codes)
    }

    /// Who waits in a backfill has a reason that is true.
    fn check_backfill(&self, backfill: &BackfillRow) -> Verdict {
        let runs = self.engine.backfill_runs(backfill.id);
        let running = runs
            .iter()
            .filter(|run| run.state == RunState::Running)
            .count();
        let is_held = backfill.hold.is_some() || backfill.abort.is_some();
        let is_full = running >= backfill.spec.max_parallel as usize;
        for run in runs.iter().filter(|run| run.state == RunState::Waiting) {
            let codes = self.codes(&ExplainObject::Backfill {
                id: backfill.id,
                run: Some(run.position),
            });
            let is_unmet = run.needs.iter().any(|need| {
                let needed = &runs[*need as usize];
                let mut date = runs
                    .iter()
                    .filter(|other| (other.day, &other.workflow) == (needed.day, &needed.workflow));
                date.any(|other| !other.state.is_good())
            });
            let has_room = self.has_room_for_a_run(&run.workflow);
            let is_frozen = self.engine.frozen().is_some();
            let is_runnable = !(is_held || is_full || is_unmet || is_frozen) && has_room;
            same(backfill.id, &run.position.to_string(), is_runnable, &codes)?;
            for (code, is_true) in [
                ("frozen", is_frozen),
                ("backfill_parallel", is_full),
                ("backfill_upstream", is_unmet),
                ("backfill_paused", backfill.hold.is_some()),
                ("backfill_aborted", backfill.abort.is_some()),
                ("instance_limit", !has_room),
                ("queued", !has_room),
                ("suspended", !has_room),
            ] {
                if codes.contains(&code) && !is_true {
                    return Err(format!("E1: {run:?} says {code}, which is not so"));
                }
            }
        }
        Ok(())
    }

    fn has_room_for_a_run(&self, workflow: &str) -> bool {
        let open = self.of_workflow.get(workflow);
        let running = open.map_or(0, |open| open.running);
        let definition = self.engine.definition(workflow);
        let limit = definition.map_or(0, |definition| definition.instance_limit());
        let row = self.engine.workflow(workflow);
        row.is_some_and(|row| row.hold.is_none())
            && i64::try_from(running).is_ok_and(|running| running < limit)
            && open.is_none_or(|open| open.first.is_none())
    }

    fn check_node(&self, instance: &InstanceRow, row: &NodeRow) -> Verdict {
        // What may still start in an instance that is to end depends on its policy and its clean-up.
        let is_live = matches!(row.state, NodeState::Ready | NodeState::Running);
        if !is_live || instance.ending.is_some() {
            return Ok(());
        }
        let codes = self.codes(&ExplainObject::Node {
            instance: instance.id,
            node: row.node.to_string(),
        });
        let definition = self.engine.pinned_definition(instance.id);
        let Some(action) = definition.and_then(|definition| action(definition, &row.node)) else {
            return Ok(());
        };
        if row.state == NodeState::Running {
            return if is_own(action) {
                self.check_own(instance, row, &codes)
            } else {
                Ok(())
            };
        }
        let may_start = instance.state == InstanceState::Running
            && instance.hold.is_none()
            && self.engine.frozen().is_none();
        let has_room = self.has_room(action);
        let is_behind = has_room && codes == ["pool_behind"];
        let is_runnable =
            may_start && (is_own(action) || self.has_worker(action) && has_room && !is_behind);
        same(instance.id, &row.node, is_runnable, &codes)?;
        for (code, is_true) in [
            ("frozen", self.engine.frozen().is_some()),
            ("paused", instance.hold.is_some()),
            ("no_worker", !self.is_served(action)),
            (
                "no_free_slot",
                self.is_served(action) && !self.has_worker(action),
            ),
            ("pool_full", !has_room),
            ("pool_unknown", !has_room),
            ("pool_too_small", !has_room),
        ] {
            if codes.contains(&code) && !is_true {
                return Err(format!(
                    "E1: node {}/{} says {code}, which is not so",
                    instance.id, row.node
                ));
            }
        }
        Ok(())
    }

    /// A wait says until when, a node with a child says which one.
    fn check_own(&self, instance: &InstanceRow, row: &NodeRow, codes: &[&str]) -> Verdict {
        let child = row
            .child
            .filter(|child| self.engine.open_instances().any(|it| it.id == *child));
        let wanted = match (child, &row.child) {
            (Some(_), _) => "sub_workflow",
            (None, Some(_)) => "retry_interval",
            (None, None) => "wait",
        };
        if codes.first() == Some(&wanted) {
            return Ok(());
        }
        Err(format!(
            "E1: {}/{} waits for {wanted}, its reasons are {codes:?}",
            instance.id, row.node
        ))
    }

    fn serves(&self, worker: &WorkerView, action: &ActionNode) -> bool {
        worker.attached.as_ref().is_some_and(|info| {
            let is_host = |host: &String| *host == info.host || info.id.0 == *host;
            action.host.as_ref().is_none_or(is_host)
                && action
                    .worker_labels
                    .iter()
                    .all(|it| info.labels.contains(it))
        })
    }

    fn is_served(&self, action: &ActionNode) -> bool {
        self.workers
            .iter()
            .any(|worker| self.serves(worker, action))
    }

    fn has_worker(&self, action: &ActionNode) -> bool {
        self.workers.iter().any(|worker| {
            let slots = worker
                .attached
                .as_ref()
                .map_or(0, |info| info.slots as usize);
            self.serves(worker, action) && worker.open_attempts < slots
        })
    }

    fn has_room(&self, action: &ActionNode) -> bool {
        action.pool.as_ref().is_none_or(|pool| {
            let (size, held) = self.pools.get(&pool.name).copied().unwrap_or_default();
            size.is_some_and(|size| held + u64::from(pool.slots) <= u64::from(size))
        })
    }
}

fn same(id: InstanceId, node: &str, is_runnable: bool, codes: &[&str]) -> Verdict {
    // What is runnable runs at once, so nothing that waits is.
    if is_runnable || codes.is_empty() {
        return Err(format!(
            "E1: {id}/{node} waits, is runnable: {is_runnable}, its reasons are {codes:?}"
        ));
    }
    Ok(())
}

fn action<'a>(workflow: &'a Workflow, name: &str) -> Option<&'a ActionNode> {
    match &workflow.nodes.iter().find(|node| node.name == name)?.kind {
        NodeKind::Action(action) => Some(action),
        _ => None,
    }
}
