//! `<wait>`: one look at a file or a database. The engine asks for it again and again; waiting itself holds no slot.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::Shape;
use akkaflow_model::text::Text;
use akkaflow_model::wait::{Awaited, Wait};
use async_trait::async_trait;

use crate::action::{Action, Outcome};
use crate::context::AttemptContext;
use crate::database;
use crate::error::ActionError;

/// The file-link that stands for the worker's own file system.
const LOCAL: &str = "local";

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
        let wait = Wait::parse(element, diagnostics)?;
        if let Awaited::File { link, .. } = &wait.what
            && link != LOCAL
        {
            other_link(element, link, diagnostics);
        }
        Some(Self { wait })
    }

    fn links(&self) -> Vec<String> {
        match &self.wait.what {
            Awaited::Sql { link, .. } => vec![link.clone()],
            _ => Vec::new(),
        }
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        if attempt.cancel.is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        match &self.wait.what {
            Awaited::File { path, .. } => Err(ActionError::NotYet {
                seen: look_for(&attempt.base_directory.join(path))?,
            }),
            Awaited::Sql { link, query } => look_into(attempt, link, query).await,
            // The engine waits for moments by itself.
            Awaited::Elapsed { .. } | Awaited::Until(_) => Ok(Outcome::default()),
        }
    }
}

fn other_link(element: &Element, link: &str, diagnostics: &mut Diagnostics) {
    let file = element.elements_named("file").next().unwrap_or(element);
    let span = file
        .attribute("file-link")
        .map_or(file.name_span, |link| link.value_span);
    diagnostics.not_runnable(
        span,
        &format!("file-link=\"{link}\""),
        Text::new(
            "当前版本的 <wait> 只能检查worker本机的文件，工作流会保存但不会运行",
            "<wait> of this version looks at files of the worker's own machine only; the workflow is kept but does not run",
        ),
        Text::new(
            "请使用 file-link=\"local\"",
            "use file-link=\"local\"",
        ),
    );
}

async fn look_into(
    attempt: &AttemptContext,
    link: &str,
    query: &str,
) -> Result<Outcome, ActionError> {
    let mut session = database::open(attempt, link).await?;
    let query = query.trim().trim_end_matches(';');
    let done = database::execute(attempt, session.as_mut(), query).await?;
    let first = done.results.first().and_then(|result| result.first.first());
    match first {
        Some(Some(value)) if !NO.contains(&value.trim().to_ascii_lowercase().as_str()) => {
            Ok(Outcome::default())
        }
        _ => Err(ActionError::NotYet { seen: Vec::new() }),
    }
}

/// What there is of the files: in words, and what changes when one of them does. Nothing when there is none.
fn look_for(path: &Path) -> Result<Vec<(String, String)>, ActionError> {
    let found = matching(path).map_err(|error| {
        ActionError::Retryable(Text::new(
            format!("无法查看{}：{error}", path.display()),
            format!("cannot look at {}: {error}", path.display()),
        ))
    })?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let bytes: u64 = found.iter().map(|(_, length, _)| length).sum();
    let words = format!("{} ({} B)", names(&found), bytes);
    let mark = crc32c::crc32c(format!("{found:?}").as_bytes());
    Ok([("seen", words), ("mark", format!("{mark:08x}"))]
        .map(|(name, value)| (name.to_owned(), value))
        .into())
}

/// Name, length and time of change of a file.
type Found = (String, u64, u128);

fn names(found: &[Found]) -> String {
    match found {
        [(name, ..)] => name.clone(),
        [(name, ..), rest @ ..] => format!("{name} +{}", rest.len()),
        [] => String::new(),
    }
}

/// The files whose name fits the last part of `path`, in order.
fn matching(path: &Path) -> io::Result<Vec<Found>> {
    let (Some(parent), Some(pattern)) = (path.parent(), path.file_name()) else {
        return Ok(Vec::new());
    };
    let pattern = pattern.to_string_lossy();
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if fits(&pattern, &entry.file_name().to_string_lossy()) {
            found.extend(file(&entry)?);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// `None` for what is no file, and for one that has gone meanwhile.
fn file(entry: &DirEntry) -> io::Result<Option<Found>> {
    let data = match fs::metadata(entry.path()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        data => data?,
    };
    let changed = data.modified()?.duration_since(UNIX_EPOCH);
    let changed = changed.map_or(0, |since| since.as_nanos());
    let name = entry.file_name().to_string_lossy().into_owned();
    Ok(data.is_file().then_some((name, data.len(), changed)))
}

/// Whether a name fits a pattern in which `*` stands for anything. Takes time linear in their product.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, is_fitting) in [
            ("a.csv", "a.csv", true),
            ("a.csv", "b.csv", false),
            ("*", "", true),
            ("a*", "a", true),
            ("*.csv", "订单.csv", true),
            ("o_*_*.csv", "o_1_2.csv", true),
            ("o_*_*.csv", "o_1.csv", false),
            ("ab*ba", "aba", false),
            ("*a*b*", "xaxbx", true),
        ] {
            assert_eq!(fits(pattern, name), is_fitting, "{pattern} {name}");
        }
    }

    #[test]
    fn a_look_tells_a_file_that_grows_from_one_that_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let pattern = directory.path().join("in/orders_*.csv");
        assert_eq!(look_for(&pattern).unwrap(), []);
        fs::create_dir(directory.path().join("in")).unwrap();
        fs::create_dir(directory.path().join("in/orders_0.csv")).unwrap();
        fs::write(directory.path().join("in/other"), "x").unwrap();
        assert_eq!(look_for(&pattern).unwrap(), []);
        let path = directory.path().join("in/orders_1.csv");
        fs::write(&path, "one").unwrap();
        let first = look_for(&pattern).unwrap();
        assert_eq!(first[0].1, "orders_1.csv (3 B)");
        assert_eq!(look_for(&pattern).unwrap(), first);
        fs::write(&path, "one more").unwrap();
        assert_ne!(look_for(&pattern).unwrap(), first);
    }
}
