//! Workflows: put, deleted, owned by files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::definition::Workflow;
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{
    FileProblemRow, FireRow, Record, ScheduleRow, VersionRow, WorkflowRow, WorkflowStatus,
};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;

use crate::Engine;
use crate::definition::Definition;
use crate::graph::Graph;
use crate::input::Origin;
use crate::pairs::Pairs;
use crate::plan::Plan;
use crate::tokens::Tokens;

/// A workflow in memory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) row: WorkflowRow,
    /// The definition in force; `None` when deleted or when its content cannot be read any more.
    pub(crate) definition: Option<Definition>,
    pub(crate) schedule: Option<ScheduleRow>,
    /// When its timer is set for.
    pub(crate) timer: Option<Timestamp>,
    /// Slots that are due and wait for dependencies, earliest first; later ones may be merged into them.
    pub(crate) waiting_fires: Vec<FireRow>,
    /// Held tokens by upstream.
    pub(crate) tokens: BTreeMap<String, Tokens>,
    /// Instances that wait for the limit, oldest first.
    pub(crate) queue: BTreeSet<(Timestamp, InstanceId)>,
    /// Instances that were paused before they began: they have left the queue, and come back to their place in it.
    pub(crate) paused: BTreeSet<(Timestamp, InstanceId)>,
    /// Instances that have left the queue and are not over, by when they left it.
    pub(crate) running: BTreeSet<(Timestamp, InstanceId)>,
}

impl Entry {
    pub(crate) fn new(row: WorkflowRow) -> Self {
        Self {
            row,
            definition: None,
            schedule: None,
            timer: None,
            waiting_fires: Vec::new(),
            tokens: BTreeMap::new(),
            queue: BTreeSet::new(),
            paused: BTreeSet::new(),
            running: BTreeSet::new(),
        }
    }

    pub(crate) fn exists(&self) -> bool {
        self.row.status != WorkflowStatus::Deleted
    }

    /// When it starts by itself.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.definition.as_ref()?.plan.as_deref()
    }

    /// Why no instance may ever start, as the definition says.
    pub(crate) fn not_runnable(&self) -> Option<&Text> {
        self.definition.as_ref()?.not_runnable.as_deref()
    }

    pub(crate) fn depends(&self) -> &[String] {
        self.plan().map_or(&[], |plan| &plan.depends)
    }
}

/// What is known of files.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) problems: BTreeMap<String, FileProblemRow>,
    /// The workflows that each file owns.
    pub(crate) owned: Pairs,
}

impl Engine {
    pub(crate) fn put_workflow(
        &mut self,
        workflow: Arc<Workflow>,
        origin: Origin,
        findings: Vec<Finding>,
    ) -> Result<Answer, Rejection> {
        self.check_origin(&workflow, &origin)?;
        let name = workflow.name.clone();
        let now = self.now;
        let file_path = match origin {
            Origin::File { path, .. } => {
                self.clear_file_problem(&path);
                self.release_others(&path, &name);
                Some(path)
            }
            Origin::Api { .. } => None,
        };
        let before = self.workflows.get(&name);
        let is_new = before.is_none_or(|entry| !entry.exists());
        let is_changed = before.is_none_or(|entry| entry.row.version != workflow.version);
        let is_unread = before.is_none_or(|entry| entry.definition.is_none());
        let row = WorkflowRow {
            name: name.clone(),
            version: workflow.version.clone(),
            status: WorkflowStatus::Live,
            dir: workflow.dir.clone(),
            creator: workflow.creator.clone(),
            desc: workflow.desc.clone(),
            file_path,
            created_at: before.map_or(now, |entry| entry.row.created_at),
            updated_at: before
                .filter(|entry| !is_changed && entry.exists())
                .map_or(now, |entry| entry.row.updated_at),
            hold: before.and_then(|entry| entry.row.hold.clone()),
        };
        if is_changed {
            self.out.definition(Record::Version(VersionRow {
                version: workflow.version.clone(),
                workflow: name.clone(),
                xml: workflow.source.to_string(),
                created_at: now,
            }));
        }
        self.write_workflow(row);
        if is_new || is_changed || is_unread {
            let definition = Definition::new(&workflow, &*self.options.packing);
            self.install(&name, Some(definition));
        }
        Ok(Answer::Put {
            name,
            version: workflow.version.0.clone(),
            created: is_new,
            findings,
        })
    }

    fn check_origin(&self, workflow: &Workflow, origin: &Origin) -> Result<(), Rejection> {
        let name = &workflow.name;
        let Some(entry) = self.workflows.get(name) else {
            return Ok(());
        };
        let conflict = |text| Err(Rejection::new(ErrorCode::Conflict, text));
        match (entry.row.status, origin, &entry.row.file_path) {
            (WorkflowStatus::Deleted, Origin::File { path, dropped_at }, _)
                if entry.row.version == workflow.version && *dropped_at <= entry.row.updated_at =>
            {
                conflict(Text::new(
                    format!(
                        "工作流{name}已被删除，文件{path}的内容未变，修改内容或重新放入后才会重新生效"
                    ),
                    format!(
                        "workflow `{name}` was deleted; {path} brings it back once its content changes or it is dropped in again"
                    ),
                ))
            }
            (WorkflowStatus::Live, Origin::File { path, .. }, Some(owner)) if owner != path => {
                conflict(Text::new(
                    format!("工作流{name}已由文件{owner}定义，忽略文件{path}"),
                    format!("workflow `{name}` is defined by {owner}; {path} is not used"),
                ))
            }
            (WorkflowStatus::Live, Origin::Api { .. }, Some(owner)) => conflict(Text::new(
                format!("工作流{name}由文件{owner}定义，请修改该文件"),
                format!("workflow `{name}` is defined by {owner}; edit that file"),
            )),
            _ => Ok(()),
        }
    }

    /// The file now defines `name`; what it defined before has lost its file.
    fn release_others(&mut self, path: &str, name: &str) {
        let others: Vec<String> = self
            .files
            .owned
            .of(path)
            .filter(|other| *other != name)
            .map(str::to_owned)
            .collect();
        for other in others {
            self.lose_file(&other);
        }
    }

    fn lose_file(&mut self, name: &str) {
        if let Some(entry) = self.workflows.get(name)
            && entry.row.status == WorkflowStatus::Live
        {
            let row = WorkflowRow {
                status: WorkflowStatus::FileGone,
                ..entry.row.clone()
            };
            self.write_workflow(row);
        }
    }

    pub(crate) fn on_file_gone(&mut self, path: &str) {
        self.clear_file_problem(path);
        self.on_calendar_gone(path);
        let names: Vec<String> = self.files.owned.of(path).map(str::to_owned).collect();
        for name in names {
            self.lose_file(&name);
        }
    }

    pub(crate) fn on_file_problem(&mut self, mut row: FileProblemRow) {
        // What the broken content calls itself is not what runs on.
        if let Some(name) = self.files.owned.of(&row.path).next() {
            row.workflow = Some(name.to_owned());
        }
        // The same problem found again is an old one.
        let is_known = self.files.problems.get(&row.path).is_some_and(|known| {
            (&known.workflow, &known.findings) == (&row.workflow, &row.findings)
        });
        if !is_known {
            self.out.definition(Record::FileProblem(row.clone()));
            self.files.problems.insert(row.path.clone(), row);
        }
    }

    pub(crate) fn clear_file_problem(&mut self, path: &str) {
        if self.files.problems.remove(path).is_some() {
            let path = path.to_owned();
            self.out.definition(Record::ClearFileProblem { path });
        }
    }

    /// Replaces the row, if it differs, and keeps the index of files.
    pub(crate) fn write_workflow(&mut self, row: WorkflowRow) {
        let is_new = !self.workflows.contains_key(&row.name);
        let entry = self
            .workflows
            .entry(row.name.clone())
            .or_insert_with(|| Box::new(Entry::new(row.clone())));
        let before = std::mem::replace(&mut entry.row, row.clone());
        if let Some(path) = &before.file_path {
            self.files.owned.remove(path, &row.name);
        }
        if let Some(path) = row.file_path.as_ref().filter(|_| entry.exists()) {
            self.files.owned.insert(path, &row.name);
        }
        if is_new || before != row {
            self.out.definition(Record::Workflow(row));
        }
    }

    /// Puts a definition in force, or none, and adjusts everything that hangs on it.
    fn install(&mut self, name: &str, mut definition: Option<Definition>) {
        if let Some(definition) = &mut definition {
            self.crons.share(definition);
            self.calendars.settle(definition, self.options.zone);
        }
        let Some(entry) = self.workflows.get_mut(name) else {
            return;
        };
        let calendar_of = |definition: &Option<Definition>| {
            let plan = definition.as_ref().and_then(|it| it.plan.as_deref());
            plan.and_then(Plan::calendar).map(str::to_owned)
        };
        let calendars = (calendar_of(&entry.definition), calendar_of(&definition));
        self.calendars
            .note_user(name, calendars.0.as_deref(), calendars.1.as_deref());
        let before: Vec<String> = entry.depends().to_vec();
        entry.definition = definition;
        if entry.not_runnable().is_some() {
            self.not_runnable.insert(name.to_owned());
        } else {
            self.not_runnable.remove(name);
        }
        let after: Vec<String> = entry.depends().to_vec();
        for upstream in before.iter().filter(|upstream| !after.contains(upstream)) {
            self.dependants.remove(upstream, name);
        }
        for upstream in &after {
            self.dependants.insert(upstream, name);
        }
        self.clear_tokens(name, |upstream| !after.contains(upstream));
        self.let_go(name);
        self.update_schedule(name);
        self.consider.join(name);
        self.backfills.unpark(name);
        if self
            .workflows
            .get(name)
            .is_some_and(|entry| !entry.queue.is_empty())
        {
            self.backlog.join(name);
        }
    }

    /// The graph of the definition in force; `None` when there is none, or none that can be read.
    pub(crate) fn graph_in_force(&mut self, name: &str) -> Option<Arc<Graph>> {
        let definition = self.workflows.get_mut(name)?.definition.as_mut()?;
        definition.graph(&*self.options.packing, &mut self.recent)
    }

    /// The definition in force, whole.
    pub(crate) fn workflow_in_force(&mut self, name: &str) -> Option<Arc<Workflow>> {
        self.graph_in_force(name)?.workflow().cloned()
    }

    pub(crate) fn delete_workflow(&mut self, name: &str) -> Result<Answer, Rejection> {
        let Some(entry) = self.workflows.get(name).filter(|entry| entry.exists()) else {
            return Err(Rejection::new(
                ErrorCode::NotFound,
                Text::new(
                    format!("工作流{name}不存在"),
                    format!("workflow `{name}` does not exist"),
                ),
            ));
        };
        let conflict =
            |zh: String, en: String| Err(Rejection::new(ErrorCode::Conflict, Text::new(zh, en)));
        let dependants: Vec<&str> = self
            .dependants(name)
            .into_iter()
            .filter(|dependant| *dependant != name)
            .collect();
        if !dependants.is_empty() {
            return conflict(
                format!("该工作流被其他工作流所依赖: {}", dependants.join(",")),
                format!("other workflows depend on it: {}", dependants.join(", ")),
            );
        }
        if !entry.running.is_empty() {
            return conflict(
                "该工作流实例正在运行中".into(),
                format!("an instance of workflow `{name}` is running"),
            );
        }
        if !entry.queue.is_empty() || !entry.paused.is_empty() {
            return conflict(
                "该工作流有实例处于就绪中".into(),
                format!("an instance of workflow `{name}` is waiting to start"),
            );
        }
        if let Some(id) = self.backfills.holding(name) {
            return conflict(
                format!("补数{id}还要运行该工作流，请等待其结束或先中止它"),
                format!("backfill {id} still has runs of it: wait for its end, or abort it first"),
            );
        }
        let row = WorkflowRow {
            status: WorkflowStatus::Deleted,
            updated_at: self.now,
            ..entry.row.clone()
        };
        self.write_workflow(row);
        self.install(name, None);
        Ok(Answer::Done)
    }
}
