//! All action types by their tag.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::links::Link;
use akkaflow_model::mail::EMAIL_TAG;
use akkaflow_model::read::ActionCatalog;
use akkaflow_model::shape::{Shape, planned_body};
use akkaflow_model::sub_workflow::SubWorkflow;
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, Outcome, Work};
use crate::context::AttemptContext;
use crate::database::check_link;
use crate::error::ActionError;

/// The action types that this program knows.
pub struct Registry {
    entries: BTreeMap<&'static str, Entry>,
}

struct Entry {
    /// Made once: it is asked for at every body.
    shape: Shape,
    check: fn(&Element, &mut Diagnostics),
    /// `None` for a type that no worker runs: the engine does it.
    parse: Option<Parse>,
    /// See [`Action::outputs`].
    outputs: fn(&Element) -> Option<&'static [&'static str]>,
}

type Parse = fn(&Element, &mut Diagnostics) -> Option<Box<dyn ParsedAction>>;

/// An [`Action`] read from its body, of whatever type.
#[async_trait]
pub trait ParsedAction: Send + Sync {
    /// See [`Action::links`].
    fn links(&self) -> Vec<String>;
    /// See [`Action::file_links`].
    fn file_links(&self) -> Vec<String>;
    /// See [`Action::attachments`].
    fn attachments(&self) -> Vec<PathBuf>;
    /// See [`Action::work`].
    ///
    /// # Errors
    /// As there.
    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError>;
    /// See [`Action::run`].
    ///
    /// # Errors
    /// As there.
    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError>;
}

#[async_trait]
impl<A: Action> ParsedAction for A {
    fn links(&self) -> Vec<String> {
        Action::links(self)
    }

    fn file_links(&self) -> Vec<String> {
        Action::file_links(self)
    }

    fn attachments(&self) -> Vec<PathBuf> {
        Action::attachments(self)
    }

    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        Action::work(self, attempt)
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        Action::run(self, attempt).await
    }
}

impl Registry {
    /// No type at all.
    pub fn empty() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }

    /// Every type that akkaflow brings.
    pub fn builtin() -> Self {
        Self::empty()
            .with::<crate::data_monitor::DataMonitor>()
            .with::<crate::file_executor::FileExecutor>()
            .with::<crate::file_monitor::FileMonitor>()
            .with::<crate::http::Http>()
            .with::<crate::python::Python>()
            .with::<crate::metadata::Metadata>()
            .with::<crate::Script>()
            .with::<crate::Shell>()
            .with::<crate::Sql>()
            .with::<crate::ssh::Ssh>()
            .with::<crate::Transfer>()
            .with_engine_node(EMAIL_TAG, crate::email::shape(), crate::email::check)
            .with_engine_node(
                SubWorkflow::TAG,
                SubWorkflow::shape(),
                |body, diagnostics| {
                    SubWorkflow::parse(body, diagnostics);
                },
            )
            .with::<crate::wait::Look>()
    }

    /// Adds a type.
    #[must_use]
    pub fn with<A: Action>(mut self) -> Self {
        self.entries.insert(
            A::TAG,
            Entry {
                shape: A::shape(),
                check: |element, diagnostics| {
                    A::parse(element, diagnostics);
                },
                parse: Some(|element, diagnostics| {
                    A::parse(element, diagnostics).map(|a| Box::new(a) as _)
                }),
                outputs: A::outputs,
            },
        );
        self
    }

    /// Adds a type that the engine does itself, without a worker.
    fn with_engine_node(
        mut self,
        tag: &'static str,
        shape: Shape,
        check: fn(&Element, &mut Diagnostics),
    ) -> Self {
        let entry = Entry {
            shape,
            check,
            parse: None,
            outputs: |_| None,
        };
        self.entries.insert(tag, entry);
        self
    }

    /// The types that a worker runs, in alphabetical order.
    pub fn tags(&self) -> Vec<&'static str> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.parse.is_some())
            .map(|(tag, _)| *tag)
            .collect()
    }

    /// Every type, in alphabetical order.
    fn known_tags(&self) -> Vec<&'static str> {
        self.entries.keys().copied().collect()
    }

    /// The shape of a type.
    pub fn shape(&self, tag: &str) -> Option<&Shape> {
        self.entries.get(tag).map(|entry| &entry.shape)
    }

    /// The shapes of all types, in alphabetical order of their tags.
    pub fn shapes(&self) -> Vec<Shape> {
        self.entries
            .values()
            .map(|entry| entry.shape.clone())
            .collect()
    }

    /// Checks and reads a body; its label is the tag. `None` when no worker runs the tag or an error was found.
    pub fn parse(
        &self,
        body: &Element,
        diagnostics: &mut Diagnostics,
    ) -> Option<Box<dyn ParsedAction>> {
        let entry = self.entries.get(body.name.as_str())?;
        let parse = entry.parse?;
        entry.shape.check(body, diagnostics);
        let action = parse(body, diagnostics)?;
        (!diagnostics.has_errors()).then_some(action)
    }
}

impl ActionCatalog for Registry {
    fn check(&self, body: &Element, diagnostics: &mut Diagnostics) -> Option<()> {
        let entry = self.entries.get(body.name.as_str())?;
        let shape = &entry.shape;
        if shape.is_planned {
            planned_body(body, diagnostics);
        }
        shape.check_body(body, diagnostics);
        (entry.check)(body, diagnostics);
        Some(())
    }

    fn tags(&self) -> Vec<&'static str> {
        self.known_tags()
    }

    fn use_of(&self, link: &Link) -> Result<(), Text> {
        check_link(link)
    }

    fn outputs(&self, body: &Element) -> Option<&'static [&'static str]> {
        let entry = self.entries.get(body.name.as_str())?;
        (entry.outputs)(body)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("tags", &self.known_tags())
            .finish()
    }
}
