//! A definition's graph, indexed once per version so that a decision costs no search.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use akkaflow_model::condition::Condition;
use akkaflow_model::definition::{ActionNode, FailurePolicy, NodeKind, Workflow};
use akkaflow_model::id::Name;
use akkaflow_model::mail::EMAIL_TAG;
use akkaflow_model::sub_workflow::SubWorkflow;
use akkaflow_model::wait::{FILE_MONITOR, Wait};

use crate::hashing::FastMap;
use crate::queue::Class;

/// Who does the work of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Runner {
    /// A worker, or nobody: a control node.
    #[default]
    Worker,
    /// The engine, by a timer: a `<wait>` for a moment.
    Timer,
    /// A worker, again and again until it sees what a `<wait>` waits for, or a monitor of files the same twice.
    Look,
    /// An instance of another workflow.
    Child,
    /// The engine, at once: an `<email>` is owed from then on.
    Mail,
}

impl Runner {
    fn of(kind: &NodeKind) -> Self {
        let NodeKind::Action(action) = kind else {
            return Self::Worker;
        };
        match action.tag.as_str() {
            SubWorkflow::TAG => Self::Child,
            EMAIL_TAG => Self::Mail,
            Wait::TAG if action.body.elements().next().is_some() => Self::Look,
            FILE_MONITOR => Self::Look,
            Wait::TAG => Self::Timer,
            _ => Self::Worker,
        }
    }
}

/// When an edge is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// When its node is passed. A path of a fork may have a condition besides.
    Pass,
    /// When the action has succeeded and the edge's condition holds.
    Ok,
    /// When the action has failed for good and the edge's condition holds.
    Error,
    /// When the decision takes this case; the default comes after the last one.
    Case(usize),
    /// When its node has succeeded, for a node that names it in `after`.
    After,
}

/// An edge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// Where it leads.
    pub(crate) to: usize,
    /// When it is taken.
    pub(crate) on: On,
}

/// One vertex.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vertex {
    /// Its edges, in the order of the definition, then those of the nodes that come after it.
    pub(crate) outs: Vec<Way>,
    /// How many edges lead here, and what must come of them.
    pub(crate) needs: Needs,
    /// Whether it waits for all incoming edges.
    pub(crate) is_join: bool,
    /// Whether an edge of an action or a fork has a condition; those of a decision are its own.
    pub(crate) has_conditions: bool,
    has_edge: bool,
    /// What an action asks for.
    pub(crate) class: Option<Arc<Class>>,
    /// Among the nodes that wait for a worker: the greater, the earlier.
    pub(crate) priority: i32,
    /// Who does its work.
    pub(crate) runner: Runner,
}

/// What a vertex waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Edges that lead to it.
    pub(crate) incoming: u32,
    /// Nodes that it comes after, each of which must succeed, and one more where edges lead to it: one must be taken.
    pub(crate) unmet: u32,
}

/// What comes after everything else.
#[derive(Debug)]
pub(crate) struct Finally {
    /// Where it begins.
    pub(crate) node: usize,
    /// Its vertices and what they wait for within it.
    pub(crate) members: Vec<(usize, Needs)>,
}

/// A definition with its indices.
#[derive(Debug)]
pub(crate) struct Graph {
    /// `None`: this version cannot be read any more; only names of nodes are known, and nothing starts.
    workflow: Option<Arc<Workflow>>,
    /// The workflow's name; empty when it cannot be read.
    title: Arc<str>,
    names: Vec<Name>,
    index: FastMap<Name, usize>,
    vertices: Vec<Vertex>,
    /// Where an instance begins.
    first: Vec<usize>,
    /// Vertices that no edge reaches, but for those: dead from the beginning, so that no join waits for them.
    unreached: Vec<usize>,
    finally: Option<Finally>,
}

impl Graph {
    /// Indexes a checked definition.
    pub(crate) fn compile(workflow: Arc<Workflow>) -> Arc<Self> {
        let names: Vec<Name> = workflow
            .nodes
            .iter()
            .map(|node| node.name.as_str().into())
            .collect();
        let index = index_of(&names);
        let vertices = connect(&workflow, &index);
        let start = workflow
            .nodes
            .iter()
            .position(|node| matches!(node.kind, NodeKind::Start { .. }));
        let finally = workflow
            .nodes
            .iter()
            .position(|node| matches!(node.kind, NodeKind::Finally { .. }));
        let lonely = (0..vertices.len())
            .filter(|&node| vertices[node].needs.incoming == 0 && Some(node) != finally);
        let (first, unreached) = match start {
            Some(start) => (vec![start], lonely.filter(|&node| node != start).collect()),
            None => (lonely.collect(), Vec::new()),
        };
        Arc::new(Self {
            finally: finally.map(|node| Finally {
                node,
                members: members(&vertices, node),
            }),
            title: Arc::from(workflow.name.as_str()),
            workflow: Some(workflow),
            names,
            index,
            vertices,
            first,
            unreached,
        })
    }

    /// Stands in for a version that cannot be read: holds the nodes that are known from rows, without edges.
    pub(crate) fn unreadable(names: Vec<Name>) -> Arc<Self> {
        let index = index_of(&names);
        Arc::new(Self {
            workflow: None,
            title: Arc::default(),
            vertices: vec![Vertex::default(); names.len()],
            names,
            index,
            first: Vec::new(),
            unreached: Vec::new(),
            finally: None,
        })
    }

    pub(crate) fn workflow(&self) -> Option<&Arc<Workflow>> {
        self.workflow.as_ref()
    }

    pub(crate) fn title(&self) -> &Arc<str> {
        &self.title
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.workflow.is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.vertices.len()
    }

    pub(crate) fn first(&self) -> &[usize] {
        &self.first
    }

    pub(crate) fn unreached(&self) -> &[usize] {
        &self.unreached
    }

    pub(crate) fn finally(&self) -> Option<&Finally> {
        self.finally.as_ref()
    }

    pub(crate) fn failure_policy(&self) -> FailurePolicy {
        self.workflow
            .as_ref()
            .map_or(FailurePolicy::CancelRunning, |workflow| {
                workflow.failure_policy
            })
    }

    pub(crate) fn vertex(&self, node: usize) -> &Vertex {
        &self.vertices[node]
    }

    pub(crate) fn name(&self, node: usize) -> &str {
        &self.names[node]
    }

    /// The same, as rows hold it.
    pub(crate) fn row_name(&self, node: usize) -> Name {
        self.names[node].clone()
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// What a node does; `None` when the version cannot be read.
    pub(crate) fn kind(&self, node: usize) -> Option<&NodeKind> {
        self.workflow
            .as_ref()
            .map(|workflow| &workflow.nodes[node].kind)
    }

    pub(crate) fn action(&self, node: usize) -> Option<&ActionNode> {
        match self.kind(node) {
            Some(NodeKind::Action(action)) => Some(action),
            _ => None,
        }
    }

    /// The condition of the edge at `position` among the node's edges.
    pub(crate) fn condition(&self, node: usize, position: usize) -> Option<&Condition> {
        let on = self.vertices[node].outs.get(position)?.on;
        match (self.kind(node)?, on) {
            (NodeKind::Action(action), On::Ok) => action.ok.as_ref()?.when.as_ref(),
            (NodeKind::Action(action), On::Error) => action.error.as_ref()?.when.as_ref(),
            (NodeKind::Fork { paths }, On::Pass) => paths.get(position)?.when.as_ref(),
            (NodeKind::Decision { cases, .. }, On::Case(case)) => {
                cases.get(case).map(|case| &case.when)
            }
            _ => None,
        }
    }

    pub(crate) fn type_name(&self, node: usize) -> &str {
        self.workflow
            .as_ref()
            .map_or("", |workflow| workflow.nodes[node].type_name())
    }
}

fn connect(workflow: &Workflow, index: &FastMap<Name, usize>) -> Vec<Vertex> {
    let mut vertices = vec![Vertex::default(); workflow.nodes.len()];
    let mut classes: BTreeSet<Arc<Class>> = BTreeSet::new();
    for (from, node) in workflow.nodes.iter().enumerate() {
        vertices[from].is_join = matches!(node.kind, NodeKind::Join { .. });
        vertices[from].has_conditions = has_conditions(&node.kind);
        if let NodeKind::Action(action) = &node.kind {
            let class = Arc::new(Class::of(action));
            // Those that ask for the same share one: they are compared again and again.
            let class = classes.get(&class).cloned().unwrap_or(class);
            classes.insert(Arc::clone(&class));
            vertices[from].class = Some(class);
            vertices[from].priority = action.priority.unwrap_or(workflow.priority);
        }
        vertices[from].runner = Runner::of(&node.kind);
        for (on, target) in edges(&node.kind) {
            let Some(&to) = index.get(target) else {
                continue;
            };
            vertices[from].outs.push(Way { to, on });
            let vertex = &mut vertices[to];
            vertex.needs.incoming += 1;
            vertex.needs.unmet += u32::from(!std::mem::replace(&mut vertex.has_edge, true));
        }
    }
    for (to, node) in workflow.nodes.iter().enumerate() {
        for from in node
            .after
            .iter()
            .filter_map(|name| index.get(name.as_str()))
        {
            let on = On::After;
            vertices[*from].outs.push(Way { to, on });
            vertices[to].needs.incoming += 1;
            vertices[to].needs.unmet += 1;
        }
    }
    vertices
}

/// The edges that a node writes down, in the order of [`akkaflow_model::definition::Node::targets`].
fn edges(kind: &NodeKind) -> Vec<(On, &str)> {
    match kind {
        NodeKind::End | NodeKind::Kill { .. } => Vec::new(),
        NodeKind::Start { to } | NodeKind::Finally { to } | NodeKind::Join { to } => {
            vec![(On::Pass, to)]
        }
        NodeKind::Fork { paths } => paths
            .iter()
            .map(|path| (On::Pass, path.to.as_str()))
            .collect(),
        NodeKind::Decision { cases, default } => cases
            .iter()
            .map(|case| case.to.as_str())
            .chain(default.as_deref())
            .enumerate()
            .map(|(case, to)| (On::Case(case), to))
            .collect(),
        NodeKind::Action(action) => {
            let ok = action.ok.iter().map(|edge| (On::Ok, edge.to.as_str()));
            let error = action.error.iter();
            ok.chain(error.map(|edge| (On::Error, edge.to.as_str())))
                .collect()
        }
    }
}

fn has_conditions(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Fork { paths } => paths.iter().any(|path| path.when.is_some()),
        NodeKind::Action(action) => {
            (action.ok.iter().chain(&action.error)).any(|edge| edge.when.is_some())
        }
        NodeKind::Start { .. }
        | NodeKind::Decision { .. }
        | NodeKind::Finally { .. }
        | NodeKind::Join { .. }
        | NodeKind::End
        | NodeKind::Kill { .. } => false,
    }
}

/// The vertices of the clean-up. Ends may be shared with the rest: here only the edges of the clean-up count.
fn members(vertices: &[Vertex], finally: usize) -> Vec<(usize, Needs)> {
    let mut needs: BTreeMap<usize, Needs> = BTreeMap::new();
    let mut has_edge = vec![false; vertices.len()];
    let mut waiting = vec![finally];
    needs.insert(finally, Needs::default());
    while let Some(from) = waiting.pop() {
        for way in &vertices[from].outs {
            let known = needs.entry(way.to).or_insert_with(|| {
                waiting.push(way.to);
                Needs::default()
            });
            known.incoming += 1;
            let is_first = way.on == On::After || !std::mem::replace(&mut has_edge[way.to], true);
            known.unmet += u32::from(is_first);
        }
    }
    needs.into_iter().collect()
}

fn index_of(names: &[Name]) -> FastMap<Name, usize> {
    names
        .iter()
        .enumerate()
        .map(|(position, name)| (name.clone(), position))
        .collect()
}
