//! Why something does not run. Answered by the predicates that schedule.

mod backfill;
mod trigger;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::{Message, because_en, because_zh, by_en, by_zh};
use akkaflow_model::record::{NodeRow, WorkflowStatus};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::{Lang, Text};
use akkaflow_model::time::Timestamp;
use akkaflow_model::wait::{Awaited, Wait};

use crate::Engine;
use crate::graph::Runner;
use crate::instances::{Course, Instance};
use crate::orders::StartBlock;
use crate::pools::NoRoom;
use crate::queue::{Class, Place, Target};
use crate::waits;
use crate::workflows::Entry;

/// So many waiting nodes are named when somebody asks about a workflow: more fill a screen and say the same.
const WAITING_NODES_NAMED: usize = 10;

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExplainObject {
    /// An open instance.
    Instance(InstanceId),
    /// One of its nodes.
    Node {
        /// The instance.
        instance: InstanceId,
        /// The node's name.
        node: String,
    },
    /// A workflow: why it does not fire by itself just now.
    Workflow(String),
    /// An open backfill: what its next runs wait for.
    Backfill {
        /// The backfill.
        id: InstanceId,
        /// Only the run at this position.
        run: Option<u32>,
    },
}

/// One unmet condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable word for programs: `no_free_slot`.
    pub code: &'static str,
    /// What holds it up: a worker, an upstream workflow, a node, another instance.
    pub object: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// In words.
    pub text: Text,
}

impl Reason {
    fn new(
        code: &'static str,
        object: impl Into<String>,
        since: Option<Timestamp>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            code,
            object: object.into(),
            since,
            text: Text::new(zh, en),
        }
    }

    /// Whether it says what was found about a deadline: it keeps nothing from running.
    pub fn is_of_deadline(&self) -> bool {
        matches!(self.code, "deadline_at_risk" | "deadline_missed")
    }
}

impl Engine {
    /// A moment as the cluster's people read it.
    fn wall_clock(&self, at: Timestamp) -> String {
        at.wall_clock(self.options.zone)
    }

    /// The unmet conditions of `object`, most important first, and at last what was found about its deadline. No condition:
    /// it runs, or could run at this moment.
    pub fn explain(&self, object: &ExplainObject) -> Vec<Reason> {
        match object {
            ExplainObject::Workflow(name) => self.explain_workflow(name),
            ExplainObject::Backfill { id, run } => self.explain_backfill(*id, *run),
            ExplainObject::Instance(id) => match self.instances.get(id) {
                Some(instance) => {
                    let mut reasons = self.explain_instance(instance);
                    reasons.extend(self.explain_landing(instance));
                    reasons
                }
                None => vec![not_open(*id)],
            },
            ExplainObject::Node { instance: id, node } => match self.instances.get(id) {
                None => vec![not_open(*id)],
                Some(instance) => match instance.graph.position(node) {
                    Some(position) => self.explain_node(instance, position),
                    None => vec![Reason::new(
                        "unknown_node",
                        node,
                        None,
                        format!("节点[{node}]不存在"),
                        format!("there is no node `{node}`"),
                    )],
                },
            },
        }
    }

    fn explain_instance(&self, instance: &Instance) -> Vec<Reason> {
        let row = &instance.row;
        if instance.is_waiting() {
            return self.explain_waiting(instance);
        }
        let mut reasons = Vec::new();
        if row.state == InstanceState::Suspended {
            reasons.push(held_up(instance));
        }
        for node in 0..instance.slots.len() {
            let is_live = instance
                .node(node)
                .is_some_and(|row| !row.state.is_terminal());
            if is_live {
                reasons.extend(self.explain_node(instance, node));
            }
        }
        reasons
    }

    fn explain_waiting(&self, instance: &Instance) -> Vec<Reason> {
        let row = &instance.row;
        let name = &row.workflow;
        let since = Some(row.created_at);
        let mut reasons: Vec<Reason> = self
            .start_block(name)
            .map(|block| self.explain_block(name, block, since))
            .into_iter()
            .collect();
        let ahead = self.workflows.get(name).and_then(|entry| {
            let before = entry.queue.range(..(row.created_at, row.id));
            let count = before.clone().count();
            before.last().map(|(_, id)| (*id, count))
        });
        if let Some((id, count)) = ahead {
            reasons.push(Reason::new(
                "queued",
                id.to_string(),
                since,
                format!("等待队列中前面还有{count}个实例"),
                format!("instances of the workflow before it in the queue: {count}"),
            ));
        }
        reasons
    }

    fn explain_block(&self, name: &str, block: StartBlock, since: Option<Timestamp>) -> Reason {
        let entry = self.workflows.get(name);
        match block {
            StartBlock::Frozen => self.explain_frozen().unwrap_or_else(|| unreadable(name)),
            StartBlock::NoDefinition => unreadable(name),
            StartBlock::NotRunnable => {
                let text = entry
                    .and_then(|entry| entry.not_runnable())
                    .cloned()
                    .unwrap_or_else(|| Text::new("该工作流不能执行", "it cannot run"));
                Reason {
                    code: "not_runnable",
                    object: name.to_owned(),
                    since: None,
                    text,
                }
            }
            StartBlock::LimitZero => Reason::new(
                "instance_limit_zero",
                name,
                None,
                format!("工作流[{name}]的instance-limit小于1，永远不会启动"),
                format!("instance-limit of workflow `{name}` is below 1: no instance ever starts"),
            ),
            StartBlock::LimitReached => {
                let limit = entry
                    .and_then(|entry| entry.definition.as_ref())
                    .map_or(0, |definition| definition.instance_limit);
                let running = entry.map_or(0, |entry| entry.running.len());
                Reason::new(
                    "instance_limit",
                    name,
                    since,
                    format!("工作流[{name}]正在运行{running}个实例，已达上限{limit}"),
                    format!(
                        "running instances of workflow `{name}`: {running}, its limit is {limit}"
                    ),
                )
            }
        }
    }

    fn explain_node(&self, instance: &Instance, node: usize) -> Vec<Reason> {
        let name = instance.graph.name(node);
        let Some(row) = instance.node(node) else {
            return if instance.is_waiting() {
                self.explain_waiting(instance)
            } else if instance.row.started_at.is_none() {
                vec![held_up(instance)]
            } else {
                explain_unreached(instance, node)
            };
        };
        if let Some(attempt) = instance.slots[node].attempt.as_deref() {
            return self.explain_attempt(attempt);
        }
        match row.state {
            NodeState::Suspended => vec![held_up(instance)],
            NodeState::Running if self.open_child(instance.row.id, node).is_some() => {
                self.explain_child(instance, node)
            }
            NodeState::Running if instance.graph.vertex(node).runner != Runner::Worker => {
                self.explain_wait(instance, node).into_iter().collect()
            }
            NodeState::Running => row
                .retry_at
                .map(|at| between_tries(name, row, &self.wall_clock(at)))
                .into_iter()
                .collect(),
            NodeState::Ready => self.explain_ready(instance, node),
            NodeState::Succeeded | NodeState::Failed | NodeState::Killed => Vec::new(),
        }
    }

    /// The node waits for its child, and for what that waits for.
    fn explain_child(&self, instance: &Instance, node: usize) -> Vec<Reason> {
        let child = self.open_child(instance.row.id, node);
        let Some(child) = child.and_then(|id| self.instances.get(&id)) else {
            return Vec::new();
        };
        let (id, workflow) = (child.row.id, &child.row.workflow);
        let reason = Reason::new(
            "sub_workflow",
            id.to_string(),
            Some(child.row.created_at),
            format!("等待工作流[{workflow}]的实例{id}结束"),
            format!("waits for instance {id} of workflow `{workflow}` to end"),
        );
        let mut reasons = vec![reason];
        reasons.extend(self.explain_instance(child));
        reasons
    }

    /// A `<wait>` until its moment or between two looks, a `<sub-workflow>` between two tries.
    fn explain_wait(&self, instance: &Instance, node: usize) -> Option<Reason> {
        let (row, name) = (instance.node(node)?, instance.graph.name(node));
        let at = row.retry_at?;
        let runner = instance.graph.vertex(node).runner;
        if runner == Runner::Child {
            return Some(between_tries(name, row, &self.wall_clock(at)));
        }
        let what = match runner {
            Runner::Look => self.looked_for(instance, node),
            Runner::Timer | Runner::Worker | Runner::Child | Runner::Mail => Text::new(
                format!("等待至{}", self.wall_clock(at)),
                format!("waits until {}", self.wall_clock(at)),
            ),
        };
        Some(Reason {
            code: "wait",
            object: name.to_owned(),
            since: row.started_at,
            text: what,
        })
    }

    /// What a `<wait>` looks for, what it has seen, and when it looks again.
    fn looked_for(&self, instance: &Instance, node: usize) -> Text {
        let zone = self.zone_of_instance(instance.row.id);
        let wait = instance.graph.action(node).and_then(|action| {
            let body = instance.with_values(zone, |values| values.substitute_element(&action.body));
            Wait::parse(&body.ok()?, &mut Diagnostics::new())
        });
        let what = match wait.map(|wait| wait.what) {
            Some(Awaited::File { path, .. }) => {
                Text::new(format!("等待文件{path}"), format!("waits for file {path}"))
            }
            Some(Awaited::Sql { link, .. }) => Text::new(
                format!("等待数据库连接{link}的SQL条件"),
                format!("waits for a condition in SQL on db-link {link}"),
            ),
            Some(Awaited::Elapsed { .. } | Awaited::Until(_)) | None => Text::new("等待", "waits"),
        };
        let row = instance.node(node);
        let seen = row.and_then(|row| row.message.as_ref());
        let seen = |lang| seen.map_or_else(String::new, |seen| seen.render(lang));
        let again = self.wall_clock(row.and_then(|row| row.retry_at).unwrap_or(self.now));
        Text::new(
            format!("{}：{}；{again}再次检查", what.zh, seen(Lang::Zh)),
            format!("{}: {}; it looks again at {again}", what.en, seen(Lang::En)),
        )
    }

    fn explain_ready(&self, instance: &Instance, node: usize) -> Vec<Reason> {
        if instance.is_own_turn(node) {
            return self.explain_frozen().into_iter().collect();
        }
        let name = instance.graph.name(node);
        let since = instance.node(node).map(|row| row.ready_at);
        let Some((class, place)) = instance.place(node) else {
            return vec![if !instance.graph.is_readable() {
                unreadable(&instance.row.workflow)
            } else {
                held_up(instance)
            }];
        };
        let mut reasons: Vec<Reason> = self.explain_frozen().into_iter().collect();
        reasons.extend(self.explain_worker(&class.target, name, since));
        reasons.extend(self.explain_pool(class, place, since));
        reasons
    }

    /// What keeps the whole cluster from starting anything.
    fn explain_frozen(&self) -> Option<Reason> {
        let hold = self.cluster.frozen.as_ref()?;
        Some(Reason::new(
            "frozen",
            "cluster",
            Some(hold.since),
            format!(
                "集群已被{}冻结{}",
                by_zh(&hold.user),
                because_zh(&hold.reason)
            ),
            format!(
                "the cluster is frozen{}{}",
                by_en(&hold.user),
                because_en(&hold.reason)
            ),
        ))
    }

    /// Why no worker takes a node for `target` now.
    fn explain_worker(
        &self,
        target: &Target,
        name: &str,
        since: Option<Timestamp>,
    ) -> Option<Reason> {
        if self.workers.best(target).is_some() {
            return None;
        }
        let object = target.host.clone().unwrap_or_else(|| name.to_owned());
        if let Some(lack) = self.workers.lack(target) {
            let message = waits::message(target, &lack, self.now);
            return Some(Reason::new(
                "no_worker",
                object,
                since,
                message.render(Lang::Zh),
                message.render(Lang::En),
            ));
        }
        let (mut wanted_zh, mut wanted_en) = match &target.host {
            Some(host) => (
                format!("主机为{host}的Worker"),
                format!("worker on host `{host}`"),
            ),
            None => ("Worker".to_owned(), "worker".to_owned()),
        };
        if !target.labels.is_empty() {
            let labels = target.labels.join(" ");
            wanted_zh = format!("带标签{labels}的{wanted_zh}");
            wanted_en = format!("{wanted_en} with the labels `{labels}`");
        }
        Some(Reason::new(
            "no_free_slot",
            object,
            since,
            format!("没有空闲的{wanted_zh}"),
            format!("every {wanted_en} is busy"),
        ))
    }

    /// Why the pool of a node has no room for it.
    fn explain_pool(
        &self,
        class: &Class,
        place: Place,
        since: Option<Timestamp>,
    ) -> Option<Reason> {
        let need = class.pool.as_ref()?;
        let (pool, slots) = (&need.pool, need.slots);
        let (code, zh, en) = match self.pools.no_room(need) {
            Some(NoRoom::Unknown) => (
                "pool_unknown",
                format!("资源池[{pool}]未定义，请用 akka pool set {pool} 份数 定义它"),
                format!(
                    "pool `{pool}` is not defined: define it with `akka pool set {pool} SLOTS`"
                ),
            ),
            Some(NoRoom::TooSmall { size }) => (
                "pool_too_small",
                format!("节点要求资源池[{pool}]的{slots}份，但它只有{size}份"),
                format!("the node asks for {slots} of pool `{pool}`, which has {size} in all"),
            ),
            Some(NoRoom::Taken { size, held }) => {
                let by = self.name_holders(pool);
                (
                    "pool_full",
                    format!("资源池[{pool}]没有空位：共{size}份，已占{held}份，占用者：{by}"),
                    format!(
                        "no room in pool `{pool}` for {slots}: {held} of {size} are held by {by}"
                    ),
                )
            }
            None => {
                let (_, id, node) = self.ready.ahead_in_pool(need, place, &self.pools)?;
                let ahead = self.name_node(id, node);
                (
                    "pool_behind",
                    format!("资源池[{pool}]的空位留给排在前面的{ahead}"),
                    format!("the room in pool `{pool}` is kept for {ahead}, which comes before it"),
                )
            }
        };
        Some(Reason::new(code, pool, since, zh, en))
    }

    /// The nodes that hold a pool, the first few.
    fn name_holders(&self, pool: &str) -> String {
        let mut names: Vec<String> = self
            .pools
            .holders(pool)
            .take(WAITING_NODES_NAMED)
            .map(|((id, node), slots)| format!("{} ({slots})", self.name_node(id, node)))
            .collect();
        if self.pools.holders(pool).nth(WAITING_NODES_NAMED).is_some() {
            names.push("...".to_owned());
        }
        names.join(", ")
    }

    fn name_node(&self, id: InstanceId, node: usize) -> String {
        self.instances.get(&id).map_or_else(
            || id.to_string(),
            |instance| {
                let (workflow, node) = (&instance.row.workflow, instance.graph.name(node));
                format!("{workflow}/{node} {id}")
            },
        )
    }

    fn explain_attempt(&self, attempt: &akkaflow_model::record::AttemptRow) -> Vec<Reason> {
        let worker = &attempt.worker;
        let mut reasons = Vec::new();
        if self.workers.info(worker).is_none() {
            let since = self
                .workers
                .get(worker)
                .and_then(|worker| worker.detached_since);
            let until = since.map_or_else(String::new, |since| {
                self.wall_clock(since.plus(self.options.lost_after))
            });
            reasons.push(Reason::new(
                "worker_detached",
                worker.to_string(),
                since,
                format!("Worker[{worker}]失联，{until}后将改派其他Worker"),
                format!(
                    "worker `{worker}` is out of reach; its work is given to others at {until}"
                ),
            ));
        }
        if attempt.cancel.is_some() {
            reasons.push(Reason::new(
                "cancelling",
                worker.to_string(),
                None,
                format!("等待Worker[{worker}]确认节点已停止"),
                format!("waits for worker `{worker}` to prove that it has stopped"),
            ));
        }
        reasons
    }

    fn explain_workflow(&self, name: &str) -> Vec<Reason> {
        let Some(entry) = self.workflows.get(name) else {
            return vec![missing(name)];
        };
        if entry.row.status == WorkflowStatus::Deleted {
            let reason = missing(name);
            let text = self.with_epitaph(name, reason.text);
            return vec![Reason { text, ..reason }];
        }
        let mut reasons: Vec<Reason> = self
            .start_block(name)
            .map(|block| self.explain_block(name, block, None))
            .into_iter()
            .collect();
        match entry.plan() {
            Some(_) if entry.row.hold.is_some() => reasons.extend(suspended(name, entry)),
            // No time of its schedule matters before it can run at all.
            Some(_) if entry.not_runnable().is_some() => {}
            Some(plan) if plan.is_enabled => {
                self.explain_trigger(name, entry, &mut reasons);
            }
            Some(_) => reasons.push(Reason::new(
                "disabled",
                name,
                None,
                "调度不可用（is-enabled为false）",
                "its coordinator is disabled",
            )),
            None if entry.definition.is_some() => reasons.push(no_trigger(name)),
            None => {}
        }
        let mut all = self.explain_open_instances(name);
        all.append(&mut reasons);
        let of_it = self.instances.values().filter(|it| it.row.workflow == name);
        all.extend(
            of_it
                .filter_map(|it| self.explain_landing(it))
                .take(WAITING_NODES_NAMED),
        );
        all
    }

    /// What people were told of its deadline.
    fn explain_landing(&self, instance: &Instance) -> Option<Reason> {
        let landing = instance.row.landing.as_ref()?;
        let zone = self.options.zone;
        let (code, at, text) = match (&landing.missed, &landing.late) {
            (Some(missed), _) => (
                "deadline_missed",
                missed.at,
                landing.missed_text(missed, zone),
            ),
            (None, Some(late)) => ("deadline_at_risk", late.at, landing.late_text(late, zone)),
            (None, None) => return None,
        };
        Some(Reason {
            code,
            object: instance.row.id.to_string(),
            since: Some(at),
            text,
        })
    }

    /// Nodes of the workflow's open instances that no attached worker may take or whose pool has no room: somebody may
    /// have to act, so these come first.
    fn explain_open_instances(&self, name: &str) -> Vec<Reason> {
        self.instances
            .values()
            .filter(|instance| instance.row.workflow == name)
            .flat_map(|instance| (0..instance.slots.len()).map(move |node| (instance, node)))
            .flat_map(|(instance, node)| self.explain_stuck(instance, node))
            .take(WAITING_NODES_NAMED)
            .collect()
    }

    /// What a ready node waits for beside a free slot, told to somebody who asked about its workflow.
    fn explain_stuck(&self, instance: &Instance, node: usize) -> Vec<Reason> {
        let Some((class, place)) = instance.place(node) else {
            return Vec::new();
        };
        let (id, name) = (instance.row.id, instance.graph.name(node));
        let since = instance.node(node).map(|row| row.ready_at);
        let lack = self.workers.lack(&class.target);
        let lack = lack.and_then(|_| self.explain_worker(&class.target, name, since));
        lack.into_iter()
            .chain(self.explain_pool(class, place, since))
            .map(|reason| Reason {
                object: id.to_string(),
                text: Text::new(
                    format!("实例{id}的节点[{name}]：{}", reason.text.get(Lang::Zh)),
                    format!(
                        "node `{name}` of instance {id}: {}",
                        reason.text.get(Lang::En)
                    ),
                ),
                ..reason
            })
            .collect()
    }
}

/// `at` is the moment as people read it.
fn between_tries(name: &str, row: &NodeRow, at: &str) -> Reason {
    if let Some(message @ Message::CannotBegin { .. }) = &row.message {
        let (zh, en) = (message.render(Lang::Zh), message.render(Lang::En));
        return Reason::new(
            "cannot_begin",
            name,
            Some(row.ready_at),
            format!("{zh}；{at}再次尝试"),
            format!("{en}; it is tried again at {at}"),
        );
    }
    Reason::new(
        "retry_interval",
        name,
        Some(row.ready_at),
        format!("等待重试间隔，下次尝试时间{at}"),
        format!("waits out the interval between attempts until {at}"),
    )
}

fn explain_unreached(instance: &Instance, node: usize) -> Vec<Reason> {
    let finally = instance.graph.finally();
    let is_cleaned_up = finally.is_some_and(|it| it.members.iter().any(|(own, _)| *own == node));
    let is_open = |before: usize| match instance.node(before) {
        Some(row) => !row.state.is_terminal(),
        // With all its edges decided and without a row it is dead.
        None => instance.slots[before].undecided > 0 || finally.is_some_and(|it| it.node == before),
    };
    let before: Vec<usize> = match instance.course() {
        Course::Finishing | Course::Stopping => return vec![ending(instance)],
        Course::Cleaning if !is_cleaned_up => Vec::new(),
        Course::Walking if finally.is_some_and(|it| it.node == node) => (0..instance.slots.len())
            .filter(|&other| instance.node(other).is_some() && is_open(other))
            .collect(),
        Course::Walking | Course::Cleaning => (0..instance.slots.len())
            .filter(|&before| leads_to(instance, before, node) && is_open(before))
            .collect(),
    };
    if before.is_empty() {
        return vec![not_taken(instance, node)];
    }
    before
        .into_iter()
        .map(|before| {
            let name = instance.graph.name(before);
            let since = instance.node(before).map(|row| row.ready_at);
            Reason::new(
                "predecessor_open",
                name,
                since,
                format!("前置节点[{name}]未结束"),
                format!("node `{name}` before it has not ended"),
            )
        })
        .collect()
}

fn leads_to(instance: &Instance, before: usize, node: usize) -> bool {
    let ways = &instance.graph.vertex(before).outs;
    ways.iter().any(|way| way.to == node)
}

fn not_taken(instance: &Instance, node: usize) -> Reason {
    let name = instance.graph.name(node);
    Reason::new(
        "not_taken",
        name,
        None,
        format!("没有分支到达节点[{name}]"),
        format!("no branch leads to node `{name}` in this run"),
    )
}

/// Nothing new begins in an instance that is to end.
fn ending(instance: &Instance) -> Reason {
    let row = &instance.row;
    let label = |lang| row.ending.unwrap_or(row.state).label(lang);
    Reason::new(
        "instance_ending",
        row.id.to_string(),
        None,
        format!("实例即将结束（{}），不再启动新节点", label(Lang::Zh)),
        format!(
            "the instance is ending ({}): nothing new starts",
            label(Lang::En)
        ),
    )
}

/// Why nothing starts in an instance: a person has paused it, it is in quarantine, or it ends.
fn held_up(instance: &Instance) -> Reason {
    let row = &instance.row;
    if row.hold.is_none() && row.ending.is_some() {
        return ending(instance);
    }
    let code = match row.hold {
        Some(_) => "paused",
        None => "quarantined",
    };
    let suspended = (0..instance.slots.len())
        .filter_map(|node| instance.node(node))
        .find(|node| node.state == NodeState::Suspended);
    let message = match (&row.hold, suspended) {
        (Some(hold), _) => Some(Message::Paused {
            user: hold.user.clone(),
            reason: hold.reason.clone(),
        }),
        (None, Some(node)) => node.message.clone(),
        (None, None) => row.message.clone(),
    };
    let say = |lang| {
        message
            .as_ref()
            .map_or_else(String::new, |message| message.render(lang))
    };
    Reason::new(
        code,
        row.id.to_string(),
        row.hold.as_ref().map(|hold| hold.since),
        say(Lang::Zh),
        say(Lang::En),
    )
}

/// Why a workflow that a person has suspended starts nothing by itself.
fn suspended(name: &str, entry: &Entry) -> Option<Reason> {
    let hold = entry.row.hold.as_ref()?;
    Some(Reason::new(
        "suspended",
        name,
        Some(hold.since),
        format!(
            "工作流已被{}暂停调度{}",
            by_zh(&hold.user),
            because_zh(&hold.reason)
        ),
        format!(
            "its schedule is suspended{}{}",
            by_en(&hold.user),
            because_en(&hold.reason)
        ),
    ))
}

fn unreadable(name: &str) -> Reason {
    Reason {
        code: "definition_unreadable",
        object: name.to_owned(),
        since: None,
        text: crate::walk::unreadable_text(name),
    }
}

fn missing(name: &str) -> Reason {
    Reason::new(
        "unknown_workflow",
        name,
        None,
        format!("工作流[{name}]不存在"),
        format!("workflow `{name}` does not exist"),
    )
}

fn no_trigger(name: &str) -> Reason {
    Reason::new(
        "no_trigger",
        name,
        None,
        "既无时间触发也无前置依赖，只能手动执行",
        "it has neither a cron time nor dependencies: only people start it",
    )
}

fn not_open(id: InstanceId) -> Reason {
    Reason::new(
        "not_open",
        id.to_string(),
        None,
        format!("实例{id}不存在或已结束"),
        format!("instance {id} is unknown or has ended"),
    )
}
