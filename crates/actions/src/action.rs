//! What an action type is.

use std::path::PathBuf;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::context::AttemptContext;
use crate::error::ActionError;

/// One action type. A new one is one file and one line in [`crate::Registry::builtin`].
#[async_trait]
pub trait Action: Sized + Send + Sync + 'static {
    /// The label of its body, and its name everywhere.
    const TAG: &'static str;

    /// Attributes and children, declared once: the checker, the XSD, the reference page and the editor read it.
    fn shape() -> akkaflow_model::shape::Shape;

    /// Reads a body that [`Action::shape`] has already been checked against. Names every value that is still wrong;
    /// `None` when there was one.
    fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// The names that a body can hand on, where it alone says so.
    fn outputs(element: &Element) -> Option<&'static [&'static str]> {
        let _ = element;
        None
    }

    /// The db-links that an attempt needs, by name.
    fn links(&self) -> Vec<String> {
        Vec::new()
    }

    /// The file-links that an attempt needs, by name; the worker's own files need none.
    fn file_links(&self) -> Vec<String> {
        Vec::new()
    }

    /// Files on the master that are copied into the attempt's directory, under their own names.
    fn attachments(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// How the attempt is carried out. A process survives the worker's agent and is adopted by the next one; a task
    /// lives and dies with the agent.
    ///
    /// # Errors
    /// [`ActionError`] when the directory cannot be prepared.
    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        let _ = attempt;
        Ok(Work::Task)
    }

    /// Carries out a [`Work::Task`]. Honours [`AttemptContext::cancelled`] within two seconds and leaves nothing behind.
    ///
    /// # Errors
    /// [`ActionError`] says itself whether another attempt may succeed.
    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        let _ = attempt;
        Ok(Outcome::default())
    }
}

/// How an attempt is carried out.
#[derive(Debug)]
pub enum Work {
    /// By a process under the worker's supervisor: exit code 0 is success, any other a failure that may be retried.
    Process(ProcessSpec),
    /// By [`Action::run`] inside the worker's agent.
    Task,
}

/// A process to start. Standard input is empty; both outputs are captured by the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSpec {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Added to the inherited environment.
    pub environment: Vec<(String, String)>,
    /// Files to write into the attempt's directory before the start: name, content, whether it is executable.
    pub files: Vec<(String, Vec<u8>, bool)>,
}

/// The good end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What people read beside the success.
    pub text: Option<Text>,
    /// What it hands on, of the outputs that its node declares.
    pub outputs: Vec<(String, String)>,
}
