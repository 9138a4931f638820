//! `<transfer>`: moves rows between databases and files.
//!
//! The order is akkaflow's: the source's columns, the missing table, emptying it, `pre`, the rows, `after`. The rows are all or
//! nothing: one transaction for a table, one rename for a file. `pre` and `after` stand outside it; so does the new table, which is dropped again when the
//! rows do not come. Emptying the table is
//! part of the transaction unless there is a `pre`, which must find it empty already.

mod address;
mod body;
mod copy;
mod expressions;
mod format;
mod guard;
mod increment;
mod leftovers;
mod limit;
mod made;
mod mapping;
mod mode;
mod piecemeal;
mod place;
mod rejects;
mod shape;
mod source;
mod split;
mod staging;
mod to_database;
mod to_file;
mod transaction;
mod watermark;

use std::sync::OnceLock;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::Shape;
use async_trait::async_trait;

use crate::action::{Action, Outcome, Work};
use crate::context::AttemptContext;
use crate::error::ActionError;
use crate::script::Script;
use body::{Source, Target};

/// `<transfer>`: moves rows between databases and files, or runs a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Script(Script),
    Rows(Box<(Source, Target)>),
}

#[async_trait]
impl Action for Transfer {
    const TAG: &'static str = "transfer";

    fn shape() -> Shape {
        shape::shape(Self::TAG)
    }

    fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        body::parse(element, diagnostics).map(|way| Self { way })
    }

    fn outputs(element: &Element) -> Option<&'static [&'static str]> {
        // A script hands on what it wants.
        let is_script = element.elements_named(Script::TAG).next().is_some();
        let names = match watermark::is_incremental(element) {
            true => copy::COUNTERS_AND_WATERMARK,
            false => copy::COUNTERS,
        };
        (!is_script).then_some(names)
    }

    fn links(&self) -> Vec<String> {
        let Way::Rows(ends) = &self.way else {
            return Vec::new();
        };
        let mut links: Vec<String> = Vec::new();
        if let Source::Database { link, .. } = &ends.0 {
            links.push(link.clone());
        }
        if let Target::Database { link, .. } = &ends.1
            && !links.contains(link)
        {
            links.push(link.clone());
        }
        links
    }

    fn file_links(&self) -> Vec<String> {
        let Way::Rows(ends) = &self.way else {
            return Vec::new();
        };
        let source = match &ends.0 {
            Source::File { place, .. } => place.file_link(),
            Source::Database { .. } => None,
        };
        let target = match &ends.1 {
            Target::File { place, .. } => place.file_link(),
            Target::Database { .. } => None,
        };
        let both = source
            .into_iter()
            .chain(target.filter(|it| Some(*it) != source));
        both.map(str::to_owned).collect()
    }

    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        Ok(match &self.way {
            Way::Script(script) => Work::Process(script.process(attempt)),
            Way::Rows(_) => Work::Task,
        })
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        let Way::Rows(ends) = &self.way else {
            return Ok(Outcome::default());
        };
        let (source, target) = ends.as_ref();
        let mut text = None;
        let counters = match target {
            Target::Database {
                link,
                table,
                columns,
                mode,
                guard,
                commands,
                rejects,
                tasks,
            } => {
                let target = to_database::Into {
                    link,
                    table,
                    columns: *columns,
                    mode,
                    guard: *guard,
                    commands,
                    rejects: rejects.as_ref(),
                    tasks: *tasks,
                    note: OnceLock::new(),
                };
                let counters = target.run(attempt, source).await?;
                text = target.note.into_inner();
                counters
            }
            Target::File {
                place,
                format,
                is_pre_del,
                commands,
            } => {
                let target = to_file::Into {
                    place,
                    format,
                    is_pre_del: *is_pre_del,
                    commands,
                };
                target.run(attempt, source).await?.counters()
            }
        };
        Ok(Outcome {
            text,
            outputs: attempt.declared(counters),
        })
    }
}
