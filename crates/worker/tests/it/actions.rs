//! Action types of these tests.

use std::path::PathBuf;

use akkaflow_actions::{Action, ActionError, AttemptContext, Outcome, ProcessSpec, Registry, Work};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

/// All of them.
pub(crate) fn registry() -> Registry {
    Registry::empty().with::<Sh>().with::<Report>()
}

/// Runs its text by `/bin/sh`.
struct Sh(String);

#[async_trait]
impl Action for Sh {
    const TAG: &'static str = "sh";

    fn shape() -> Shape {
        Shape::new("sh", Text::verbatim("sh")).text(TextRule::Optional)
    }

    fn parse(element: &Element, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(element.text()))
    }

    fn work(&self, _: &AttemptContext) -> Result<Work, ActionError> {
        Ok(Work::Process(ProcessSpec {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), self.0.clone()],
            environment: Vec::new(),
            files: vec![("akkaflow_beside".to_owned(), b"content\n".to_vec(), false)],
        }))
    }
}

/// Reports its text, then does what the text says: `panic`, `wait`, `spin` until it is to stop, `fail`, or succeed.
struct Report(String);

#[async_trait]
impl Action for Report {
    const TAG: &'static str = "report";

    fn shape() -> Shape {
        Shape::new("report", Text::verbatim("report")).text(TextRule::Optional)
    }

    fn parse(element: &Element, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(element.text()))
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        attempt.log.info(&self.0);
        match self.0.as_str() {
            "panic" => panic!("as told"),
            "wait" => {
                attempt.cancelled().await;
                Err(ActionError::Cancelled)
            }
            "spin" => {
                while !attempt.cancel.is_cancelled() {
                    std::hint::spin_loop();
                }
                Err(ActionError::Cancelled)
            }
            "fail" => Err(ActionError::Retryable(Text::verbatim("as told"))),
            _ => Ok(Outcome::default()),
        }
    }
}
