//! A definition's graph, indexed once per version so that a decision costs no search.

use std::collections::BTreeMap;
use std::sync::Arc;

use akkaflow_model::definition::{ActionNode, NodeKind, Workflow};

/// One vertex.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vertex {
    /// Where its edges lead. An action's are ok and, where there is one, error.
    pub(crate) outs: Vec<usize>,
    /// How many edges lead here.
    pub(crate) incoming: u32,
    /// Whether it waits for all incoming edges.
    pub(crate) is_join: bool,
}

/// A definition with its indices.
#[derive(Debug)]
pub(crate) struct Graph {
    /// `None`: this version cannot be read any more; only names of nodes are known, and nothing starts.
    workflow: Option<Arc<Workflow>>,
    names: Vec<String>,
    index: BTreeMap<String, usize>,
    vertices: Vec<Vertex>,
    start: usize,
    /// Vertices that no edge reaches, but for the start: dead from the beginning, so that no join waits for them.
    unreached: Vec<usize>,
}

impl Graph {
    /// Indexes a checked definition.
    pub(crate) fn compile(workflow: Arc<Workflow>) -> Arc<Self> {
        let names: Vec<String> = workflow
            .nodes
            .iter()
            .map(|node| node.name.clone())
            .collect();
        let index = index_of(&names);
        let mut vertices = vec![Vertex::default(); names.len()];
        let mut start = 0;
        for (position, node) in workflow.nodes.iter().enumerate() {
            vertices[position].is_join = matches!(node.kind, NodeKind::Join { .. });
            if matches!(node.kind, NodeKind::Start { .. }) {
                start = position;
            }
            for target in node.targets() {
                let Some(&to) = index.get(target) else {
                    continue;
                };
                vertices[position].outs.push(to);
                vertices[to].incoming += 1;
            }
        }
        let unreached = (0..vertices.len())
            .filter(|&position| position != start && vertices[position].incoming == 0)
            .collect();
        Arc::new(Self {
            workflow: Some(workflow),
            names,
            index,
            vertices,
            start,
            unreached,
        })
    }

    /// Stands in for a version that cannot be read: holds the nodes that are known from rows, without edges.
    pub(crate) fn unreadable(names: Vec<String>) -> Arc<Self> {
        let index = index_of(&names);
        Arc::new(Self {
            workflow: None,
            vertices: vec![Vertex::default(); names.len()],
            names,
            index,
            start: 0,
            unreached: Vec::new(),
        })
    }

    pub(crate) fn workflow(&self) -> Option<&Arc<Workflow>> {
        self.workflow.as_ref()
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.workflow.is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.vertices.len()
    }

    pub(crate) fn start(&self) -> usize {
        self.start
    }

    pub(crate) fn unreached(&self) -> &[usize] {
        &self.unreached
    }

    pub(crate) fn vertex(&self, node: usize) -> &Vertex {
        &self.vertices[node]
    }

    pub(crate) fn name(&self, node: usize) -> &str {
        &self.names[node]
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

    pub(crate) fn type_name(&self, node: usize) -> &str {
        self.workflow
            .as_ref()
            .map_or("", |workflow| workflow.nodes[node].type_name())
    }
}

fn index_of(names: &[String]) -> BTreeMap<String, usize> {
    names
        .iter()
        .enumerate()
        .map(|(position, name)| (name.clone(), position))
        .collect()
}
