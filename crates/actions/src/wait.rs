//! `<wait>`: one look at a file or a database. The engine asks for it again and again; waiting itself holds no slot.

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::Shape;
use akkaflow_model::wait::{Awaited, Wait};
use async_trait::async_trait;

use crate::action::{Action, Outcome};
use crate::context::AttemptContext;
use crate::database::{self, Borrowed};
use crate::error::ActionError;
use crate::files::{self, Found};

/// Values that mean that the row is not there yet.
const NO: [&str; 5] = ["", "0", "false", "f", "0.0"];

/// One look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    wait: Wait,
}

#[async_trait]
impl Action for Look {
    const TAG: &'static str = Wait::TAG;

    fn shape() -> Shape {
        Wait::shape()
    }

    fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        Wait::parse(element, diagnostics).map(|wait| Self { wait })
    }

    fn links(&self) -> Vec<String> {
        match &self.wait.what {
            Awaited::Sql { link, .. } => vec![link.clone()],
            _ => Vec::new(),
        }
    }

    fn file_links(&self) -> Vec<String> {
        match &self.wait.what {
            Awaited::File { link, .. } => files::needed(link),
            _ => Vec::new(),
        }
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        if attempt.cancel.is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        match &self.wait.what {
            Awaited::File { link, path } => Err(ActionError::NotYet {
                seen: look_for(attempt, link, path).await?,
            }),
            Awaited::Sql { link, query } => look_into(attempt, link, query).await,
            // The engine waits for moments by itself.
            Awaited::Elapsed { .. } | Awaited::Until(_) => Ok(Outcome::default()),
        }
    }
}

async fn look_into(
    attempt: &AttemptContext,
    link: &str,
    query: &str,
) -> Result<Outcome, ActionError> {
    let mut borrowed = Borrowed::new(attempt, link).await?;
    let query = query.trim().trim_end_matches(';');
    let done = database::execute(attempt, borrowed.session(), query).await?;
    borrowed.give_back().await;
    let first = done.results.first().and_then(|result| result.first.first());
    match first {
        Some(Some(value)) if !NO.contains(&value.trim().to_ascii_lowercase().as_str()) => {
            Ok(Outcome::default())
        }
        _ => Err(ActionError::NotYet { seen: Vec::new() }),
    }
}

/// What there is of the files: in words, and what changes when one of them does. Nothing when there is none.
async fn look_for(
    attempt: &AttemptContext,
    link: &str,
    path: &str,
) -> Result<Vec<(String, String)>, ActionError> {
    let found = files::find(attempt, link, path).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sight(&found))
}

/// What was seen, for the next look to compare: the engine takes the same seen twice for a success.
pub(crate) fn sight(found: &[Found]) -> Vec<(String, String)> {
    [("seen", files::words(found)), ("mark", files::mark(found))]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}
