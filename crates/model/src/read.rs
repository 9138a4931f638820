//! From the bytes of a workflow file to a [`Workflow`], with every mistake at its place.
//!
//! Reading never stops at the first mistake. It hands out a workflow only when there is no error at all, so whoever
//! holds one needs no further checks.

mod coordinator;
mod graph;
mod labels;
mod node;
mod param_rules;
mod params;
pub(crate) mod place;
mod policy;
mod root;
mod shapes;
mod values;

use std::sync::Arc;

use ring::digest::{SHA256, digest};

use crate::check::Outline;
use crate::code;
use crate::definition::{StateVariable, Version, Workflow};
use crate::diagnostic::{Diagnostic, Diagnostics, Finding, Severity};
use crate::element::{Element, Span};
use crate::encoding;
use crate::links::Link;
use crate::lint::{lint, lint_secrets};
use crate::param;
use crate::render;
use crate::suggest::did_you_mean;
use crate::text::Text;
use crate::xml::{self, Document};

pub use crate::lint::is_secret_name;
pub use shapes::workflow_shape;

/// The action types, as far as a reader must know them.
pub trait ActionCatalog {
    /// Reports everything wrong with a body, and [`Diagnostics::not_runnable`] where this program checks it only; its
    /// label is the action type. `None` when the type is unknown.
    fn check(&self, body: &Element, diagnostics: &mut Diagnostics) -> Option<()>;

    /// The types that this program knows, run or not.
    fn tags(&self) -> Vec<&'static str>;

    /// What is wrong with a link for whoever connects to it, where this program knows.
    ///
    /// # Errors
    /// That, in words.
    fn use_of(&self, link: &Link) -> Result<(), Text> {
        let _ = link;
        Ok(())
    }

    /// The names that a body can hand on, where it alone says so.
    fn outputs(&self, body: &Element) -> Option<&'static [&'static str]> {
        let _ = body;
        None
    }
}

/// What a file holds.
#[derive(Debug)]
pub struct Reading {
    /// The decoded text, to which all places refer. Reading its bytes again gives the same.
    pub source: Arc<str>,
    /// The workflow; `None` exactly when [`Reading::diagnostics`] holds an error.
    pub workflow: Option<Workflow>,
    /// The workflow's name, where it could be read, even if the rest is wrong.
    pub name: Option<String>,
    /// What other files need to know of it; there when the name is.
    pub outline: Option<Outline>,
    /// Everything found, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Reading {
    /// Everything found with lines and columns; `file` is what messages call the file.
    pub fn findings(&self, file: &str) -> Vec<Finding> {
        render::locate_all(&self.source, file, &self.diagnostics)
    }

    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        self.workflow.is_none()
    }
}

/// Reads and checks a workflow file. Never panics; the cost grows with the size of the file, which is limited.
pub fn read_workflow(bytes: &[u8], actions: &dyn ActionCatalog) -> Reading {
    let (mut document, root, name, workflow) = parse(bytes, None, actions);
    let outline = root
        .as_ref()
        .and_then(|root| Outline::of(&document.source, root, workflow.as_ref()));
    // Behind a fault of the file may stand anything, a parameter's use too; what stands before it is shown, though.
    if let Some(root) = root.as_ref().filter(|_| document.fault.is_some()) {
        lint_secrets(&document.source, root, &mut document.diagnostics);
    } else if let Some(root) = &root {
        lint(
            &document.source,
            root,
            workflow.as_ref(),
            &mut document.diagnostics,
        );
    }
    let diagnostics = document.findings();
    let has_errors = diagnostics
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    debug_assert_eq!(
        workflow.is_none(),
        has_errors,
        "a workflow exists exactly where there is no error"
    );
    Reading {
        source: document.source,
        workflow,
        name,
        outline,
        diagnostics,
    }
}

/// The same where nobody is told what is legal but surely not meant, which saves a third of the time.
///
/// `None` when it is not right, which a newer version may also find of what an older one has stored. Its version is
/// computed unless it is known.
pub fn read_unlinted(
    bytes: &[u8],
    version: Option<&Version>,
    actions: &dyn ActionCatalog,
) -> Option<Workflow> {
    parse(bytes, version, actions).3
}

type Parsed = (Document, Option<Element>, Option<String>, Option<Workflow>);

fn parse(bytes: &[u8], version: Option<&Version>, actions: &dyn ActionCatalog) -> Parsed {
    let mut document = xml::read(bytes);
    let mut root = document.root.take();
    let mut said = std::mem::take(&mut document.diagnostics);
    let (mut diagnostics, mut draft) = read_tree(&document, root.as_ref(), actions, said.clone());
    // Only a file with such a mistake is gone through again.
    if let Some(element) = &mut root
        && (diagnostics.has_any(OF_LABELS) || !document.unclosed.is_empty())
    {
        labels::Labels {
            unclosed: &document.unclosed,
            tags: actions.tags(),
            diagnostics: &mut said,
        }
        .mend(element);
        (diagnostics, draft) = read_tree(&document, root.as_ref(), actions, said);
    }
    document.diagnostics = diagnostics;
    let name = draft.as_ref().and_then(|draft| draft.name.clone());
    let workflow = draft
        .zip(root.as_ref())
        .filter(|_| !document.diagnostics.has_errors())
        .and_then(|(draft, root)| draft.finish(root, &document.source, version));
    (document, root, name, workflow)
}

/// What shows that a label may be misspelt.
const OF_LABELS: &[&str] = &[
    code::UNKNOWN_ELEMENT,
    code::UNKNOWN_ACTION_TYPE,
    code::SEVERAL_ACTION_TYPES,
];

/// Adds to what was said of the text what is to be said of the tree.
fn read_tree(
    document: &Document,
    root: Option<&Element>,
    actions: &dyn ActionCatalog,
    diagnostics: Diagnostics,
) -> (Diagnostics, Option<Draft>) {
    let mut reader = Reader {
        document,
        actions,
        diagnostics,
        suggestions_left: MOST_SUGGESTIONS,
    };
    let draft = root.map(|root| reader.read(root));
    (reader.diagnostics, draft)
}

/// The name of a content: the first 16 hexadecimal digits of the SHA-256 of its decoded text.
pub fn version_of(source: &str) -> Version {
    let hash = digest(&SHA256, source.as_bytes());
    let first = hash.as_ref().first_chunk().expect("it has 32 bytes");
    Version(format!("{:016x}", u64::from_be_bytes(*first)))
}

/// The version that a file has if it is right: its bytes are decoded, but not read.
pub fn version_of_bytes(bytes: &[u8]) -> Version {
    version_of(&encoding::decode(bytes, &mut Diagnostics::new()).text)
}

/// Names that are compared with all others of the file in search of a misspelling: beyond that the cost would show.
const MOST_SUGGESTIONS: usize = 50;

/// One reading.
struct Reader<'a> {
    document: &'a Document,
    actions: &'a dyn ActionCatalog,
    diagnostics: Diagnostics,
    suggestions_left: usize,
}

/// A workflow as far as it could be read.
struct Draft {
    name: Option<String>,
    head: Option<root::Head>,
    coordinator: Option<crate::definition::Coordinator>,
    state: Vec<StateVariable>,
    nodes: Vec<node::Draft>,
    not_runnable: Option<Text>,
}

impl Reader<'_> {
    fn read(&mut self, root: &Element) -> Draft {
        self.check_root_label(root);
        workflow_shape().check_frame(root, &mut self.diagnostics);
        let name = root::name(root);
        let head = self.read_head(root);
        let coordinator = root
            .elements_named("coordinator")
            .next()
            .and_then(|element| self.read_coordinator(element, name.as_deref()));
        let nodes: Vec<node::Draft> = root
            .elements()
            .filter_map(|element| self.read_node(element))
            .collect();
        let state = self.read_state(root);
        let ways = self.check_graph(root, &nodes);
        self.check_params(root);
        self.check_values(root, &nodes, &state, ways.as_ref());
        self.check_bodies(root);
        let not_runnable = self.why_not_runnable();
        Draft {
            name,
            head,
            coordinator,
            state,
            nodes,
            not_runnable,
        }
    }

    /// Everything that this version cannot run, in one sentence.
    fn why_not_runnable(&self) -> Option<Text> {
        let reasons = self.diagnostics.reasons();
        (!reasons.is_empty()).then(|| {
            Text::new(
                format!("当前版本暂不能执行：{}", reasons.join("、")),
                format!("this version does not run {} yet", reasons.join(", ")),
            )
        })
    }

    /// Whether a fault of the file cut this element off, so that what it lacks may be in the unread rest.
    fn is_cut_off(&self, element: &Element) -> bool {
        self.document.unclosed.contains(&element.name_span)
    }

    /// A name of the file that `word` may have been meant to be.
    fn did_you_mean<'n>(
        &mut self,
        word: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Option<Text> {
        self.suggestions_left = self.suggestions_left.checked_sub(1)?;
        did_you_mean(word, names)
    }

    /// The line, from 1, in which a place stands.
    fn line(&self, span: Span) -> usize {
        render::line_of(&self.document.source, span.start)
    }

    fn check_root_label(&mut self, root: &Element) {
        if matches!(root.name.as_str(), "work-flow" | "workflow") {
            return;
        }
        let found = crate::quote::shortened(&root.name);
        self.diagnostics.warning(
            code::ROOT_LABEL,
            root.name_span,
            Text::new(
                format!("根节点是 <{found}>，应为 <work-flow>"),
                format!("the root is called <{found}>, not <work-flow>"),
            ),
            Text::new("请改为 <work-flow>", "call it <work-flow>"),
        );
    }
}

impl Draft {
    fn finish(
        self,
        root: &Element,
        source: &Arc<str>,
        version: Option<&Version>,
    ) -> Option<Workflow> {
        let head = self.head?;
        Some(Workflow {
            name: self.name?,
            creator: head.creator,
            desc: head.desc,
            create_time: head.create_time,
            mail_level: head.mail_level,
            mail_receivers: head.mail_receivers,
            instance_limit: head.instance_limit,
            dir: head.dir,
            overlap: head.overlap,
            failure_policy: head.failure_policy,
            priority: head.priority,
            keep: head.keep,
            state: self.state,
            coordinator: self.coordinator,
            nodes: self
                .nodes
                .into_iter()
                .map(|draft| draft.node)
                .collect::<Option<_>>()?,
            used_params: param::used_params(root),
            version: version.cloned().unwrap_or_else(|| version_of(source)),
            source: Arc::clone(source),
            not_runnable: self.not_runnable,
        })
    }
}
