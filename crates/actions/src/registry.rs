//! All action types by their tag.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::read::ActionCatalog;
use akkaflow_model::shape::Shape;
use async_trait::async_trait;

use crate::action::{Action, Outcome, Work};
use crate::context::AttemptContext;
use crate::error::ActionError;

/// The action types that this program knows.
pub struct Registry {
    entries: BTreeMap<&'static str, Entry>,
}

struct Entry {
    shape: fn() -> Shape,
    parse: fn(&Element, &mut Diagnostics) -> Option<Box<dyn ParsedAction>>,
}

/// An [`Action`] read from its body, of whatever type.
#[async_trait]
pub trait ParsedAction: Send + Sync {
    /// See [`Action::links`].
    fn links(&self) -> Vec<String>;
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
            .with::<crate::Script>()
            .with::<crate::Shell>()
            .with::<crate::Sql>()
            .with::<crate::Transfer>()
    }

    /// Adds a type.
    #[must_use]
    pub fn with<A: Action>(mut self) -> Self {
        self.entries.insert(
            A::TAG,
            Entry {
                shape: A::shape,
                parse: |element, diagnostics| {
                    A::parse(element, diagnostics).map(|a| Box::new(a) as _)
                },
            },
        );
        self
    }

    /// The tags, in alphabetical order.
    pub fn tags(&self) -> Vec<&'static str> {
        self.entries.keys().copied().collect()
    }

    /// The shape of a type.
    pub fn shape(&self, tag: &str) -> Option<Shape> {
        self.entries.get(tag).map(|entry| (entry.shape)())
    }

    /// The shapes of all types, in alphabetical order of their tags.
    pub fn shapes(&self) -> Vec<Shape> {
        self.entries.values().map(|entry| (entry.shape)()).collect()
    }

    /// Checks and reads a body; its label is the tag. `None` when the tag is unknown or an error was found.
    pub fn parse(
        &self,
        body: &Element,
        diagnostics: &mut Diagnostics,
    ) -> Option<Box<dyn ParsedAction>> {
        let entry = self.entries.get(body.name.as_str())?;
        (entry.shape)().check(body, diagnostics);
        (entry.parse)(body, diagnostics)
    }
}

impl ActionCatalog for Registry {
    fn check(&self, body: &Element, diagnostics: &mut Diagnostics) -> Option<()> {
        let entry = self.entries.get(body.name.as_str())?;
        (entry.shape)().check(body, diagnostics);
        (entry.parse)(body, diagnostics);
        Some(())
    }

    fn tags(&self) -> Vec<&'static str> {
        Registry::tags(self)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("tags", &self.tags())
            .finish()
    }
}
