//! From an order to something that can be started: the working directory, the parsed action, the files, the
//! environment.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use akkaflow_actions::{
    ActionError, AttemptContext, Meter, ParsedAction, ProcessSpec, Registry, Work,
};
use akkaflow_connectors::Pool;
use akkaflow_model::diagnostic::{Diagnostics, Severity};
use akkaflow_model::element::Element;
use akkaflow_model::id::AttemptKey;
use akkaflow_model::links::{LinkKey, LinkKind};
use akkaflow_model::outcome::{Outcome, OutcomeKind};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use akkaflow_rpc::wire;
use akkaflow_rpc::worker::pairs_from_wire;
use tokio_util::sync::CancellationToken;

use crate::clock::millis;
use crate::home::AttemptHome;
use crate::logs::LineWriter;
use crate::outcome;
use crate::secrets::Secrets;
use crate::spares::Spares;
use crate::supervisor::Start;

/// An order with all that is needed to prepare it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) key: AttemptKey,
    pub(crate) id: String,
    pub(crate) home: AttemptHome,
    pub(crate) writer: LineWriter,
    pub(crate) cancel: CancellationToken,
    pub(crate) start: wire::Start,
}

/// Ready to be started.
pub(crate) enum Prepared {
    /// By the supervisor.
    Process(Box<Start>),
    /// Inside this process.
    Task(Box<dyn ParsedAction>, Box<AttemptContext>),
    /// It never will be.
    Failed(Outcome),
}

/// Prepares an order whose attachments, if any, are in the working directory already.
fn prepare(tools: &Tools, order: Order) -> Prepared {
    match try_prepare(tools, order) {
        Ok(prepared) => prepared,
        Err(outcome) => Prepared::Failed(outcome),
    }
}

fn try_prepare(tools: &Tools, order: Order) -> Result<Prepared, Outcome> {
    let leftovers = if order.start.attachments.is_empty() {
        tools.spares.take(&order.home)
    } else {
        order.home.create().map(|()| Vec::new())
    }
    .map_err(|error| spool_failure(&error))?;
    let start = order.start;
    let body = start
        .body
        .ok_or_else(|| malformed("no body"))
        .and_then(|body| Element::try_from(body).map_err(|error| malformed(&error.to_string())))?;
    let action = parse(&tools.registry, &body)?;
    let mut links = std::collections::BTreeMap::new();
    for link in start.links {
        let link = akkaflow_model::db_links::DbLink::try_from(link)
            .map_err(|error| malformed(&error.to_string()))?;
        links.insert(link.name.clone(), link);
    }
    let mut file_links = std::collections::BTreeMap::new();
    for link in start.file_links {
        let access = akkaflow_model::file_links::FileAccess::try_from(link)
            .map_err(|error| malformed(&error.to_string()))?;
        file_links.insert(access.link.name.clone(), access);
    }
    let mut unusable_links = std::collections::BTreeMap::new();
    for link in start.unusable_links {
        let kind =
            LinkKind::from_word(&link.kind).ok_or_else(|| malformed("the kind of a link"))?;
        let why = link.why.ok_or_else(|| malformed("no reason"))?;
        let key = LinkKey {
            kind,
            name: link.name,
        };
        if link.waits {
            return Err(outcome::cannot_begin(unopened(&key, &why.into())));
        }
        unusable_links.insert(key, why.into());
    }
    let context = AttemptContext {
        key: order.key,
        workflow: start.workflow,
        desc: start.desc,
        params: pairs_from_wire(start.params),
        fire_time: Timestamp::from_millis(start.fire_time_ms),
        directory: order.home.work(),
        base_directory: tools.base_directory.clone(),
        links,
        file_links,
        unusable_links,
        sessions: tools.sessions.clone(),
        log: order.writer.sink(),
        cancel: order.cancel,
        outputs: start.outputs,
        meter: Meter::default(),
    };
    match action.work(&context).map_err(failure)? {
        Work::Task => {
            order.writer.hide(Secrets::of(&context));
            remove_leftovers(&context.directory, &leftovers, &[])
                .map_err(|error| spool_failure(&error))?;
            Ok(Prepared::Task(action, Box::new(context)))
        }
        Work::Process(spec) => {
            remove_leftovers(&context.directory, &leftovers, &spec.files)
                .map_err(|error| spool_failure(&error))?;
            for (name, content, is_executable) in &spec.files {
                write_file(&context.directory, name, content, *is_executable)
                    .map_err(|error| spool_failure(&error))?;
            }
            Secrets::of_process(&context)
                .keep(&order.home.secrets())
                .map_err(|error| spool_failure(&error))?;
            let epoch = start.epoch;
            let start = process(spec, &context, epoch, order.id, &order.home);
            Ok(Prepared::Process(Box::new(Start {
                grace_ms: millis(tools.kill_grace),
                ..start
            })))
        }
    }
}

/// What an attempt says whose link cannot be opened.
fn unopened(key: &LinkKey, why: &Text) -> Text {
    let name = key.text();
    Text::new(
        format!("{}无法解密：{}", name.zh, why.zh),
        format!("{} cannot be opened: {}", name.en, why.en),
    )
}

/// Removes the empty files of an earlier attempt that this one does not write itself.
fn remove_leftovers(
    directory: &Path,
    leftovers: &[String],
    written: &[(String, Vec<u8>, bool)],
) -> io::Result<()> {
    for name in leftovers {
        if !written.iter().any(|(other, ..)| other == name) {
            fs::remove_file(directory.join(name))?;
        }
    }
    Ok(())
}

fn parse(registry: &Registry, body: &Element) -> Result<Box<dyn ParsedAction>, Outcome> {
    let mut diagnostics = Diagnostics::new();
    let action = registry.parse(body, &mut diagnostics);
    let errors: Vec<Text> = diagnostics
        .into_sorted()
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.message)
        .collect();
    match action {
        Some(action) if errors.is_empty() => Ok(action),
        _ if errors.is_empty() => Err(outcome::failed(
            OutcomeKind::FailedForGood,
            Text::new(
                format!("本worker不认识动作类型[{}]，请升级worker", body.name),
                format!(
                    "this worker does not know the action type `{}`; upgrade it",
                    body.name
                ),
            ),
        )),
        _ => Err(outcome::failed(
            OutcomeKind::FailedForGood,
            Text::new(
                join(errors.iter().map(|text| &text.zh)),
                join(errors.iter().map(|text| &text.en)),
            ),
        )),
    }
}

fn join<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    texts.cloned().collect::<Vec<_>>().join("; ")
}

fn process(
    spec: ProcessSpec,
    context: &AttemptContext,
    epoch: u64,
    id: String,
    home: &AttemptHome,
) -> Start {
    let mut environment = spec.environment;
    let mut add = |name: &str, value: String| environment.push((name.to_owned(), value));
    add("AKKAFLOW_EPOCH", epoch.to_string());
    add("AKKAFLOW_INSTANCE", context.key.instance.to_string());
    add("AKKAFLOW_WORKFLOW", context.workflow.clone());
    add("AKKAFLOW_NODE", context.key.node.to_string());
    add("AKKAFLOW_OUTPUT", home.outputs().display().to_string());
    add("AKKAFLOW_FIRE_TIME", context.fire_time.to_rfc3339());
    for (name, value) in &context.params {
        add(&format!("AKKAFLOW_PARAM_{}", variable(name)), value.clone());
    }
    Start {
        id,
        marker: context.key.to_string(),
        program: spec.program,
        arguments: spec.arguments,
        environment,
        directory: context.directory.clone(),
        out: home.out(),
        err: home.err(),
        grace_ms: 0,
    }
}

/// A parameter's name as shells can read it.
fn variable(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii() && !c.is_ascii_alphanumeric() {
                '_'
            } else {
                c
            }
        })
        .collect()
}

/// Writes a file that the action or the master names; it never leaves the directory.
pub(crate) fn write_file(
    directory: &Path,
    name: &str,
    content: &[u8],
    is_executable: bool,
) -> io::Result<()> {
    let path = directory.join(plain_name(name)?);
    let mode = if is_executable { 0o700 } else { 0o600 };
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    // The mode above is only that of a new file.
    if file.metadata()?.mode() & 0o777 != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    file.write_all(content)
}

/// A name that is a file of the directory itself, and nothing else.
pub(crate) fn plain_name(name: &str) -> io::Result<&str> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(std::path::Component::Normal(part)), None) if part == name => Ok(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{name}` is not a plain file name"),
        )),
    }
}

/// The environment that processes inherit: ours, without our own settings, which may hold secrets.
pub(crate) fn inherited_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !name.starts_with(OWN))
        .collect()
}

/// Names of our own settings in our environment.
pub(crate) fn own_settings() -> impl Iterator<Item = OsString> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.as_bytes().starts_with(OWN.as_bytes()))
}

/// How they begin.
const OWN: &str = "AKKAFLOW_";

/// An action's own word for its failure.
pub(crate) fn failure(error: ActionError) -> Outcome {
    match error {
        ActionError::Retryable(text) => outcome::failed(OutcomeKind::Failed, text),
        ActionError::Fatal(text) => outcome::failed(OutcomeKind::FailedForGood, text),
        ActionError::Cancelled => outcome::cancelled(),
        ActionError::NotYet { seen } => outcome::not_yet(seen),
    }
}

pub(crate) fn spool_failure(error: &io::Error) -> Outcome {
    outcome::failed(
        OutcomeKind::Failed,
        Text::new(
            format!("worker无法准备工作目录，请检查其数据目录的权限与空间: {error}"),
            format!(
                "the worker cannot prepare the working directory, look at the permissions and the free space of its data directory: {error}"
            ),
        ),
    )
}

pub(crate) fn malformed(what: &str) -> Outcome {
    outcome::failed(
        OutcomeKind::FailedForGood,
        Text::new(
            format!("master发来的任务无法识别: {what}"),
            format!("the master's order is malformed: {what}"),
        ),
    )
}

/// What the preparation needs.
pub(crate) struct Tools {
    pub(crate) registry: Registry,
    pub(crate) base_directory: PathBuf,
    pub(crate) spares: Arc<Spares>,
    pub(crate) sessions: Pool,
    /// From SIGTERM to SIGKILL for what a process leaves behind.
    pub(crate) kill_grace: Duration,
}

/// Prepares in a thread of its own, so that a slow disk does not hold up the conversation with the master.
pub(crate) fn start_thread(
    tools: Tools,
    orders: Receiver<Order>,
    on_prepared: impl Fn(AttemptKey, Prepared) + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new()
        .name("akkaflow-prepare".to_owned())
        .spawn(move || {
            for order in orders {
                let key = order.key.clone();
                on_prepared(key, prepare(&tools, order));
            }
        })
        .map(drop)
}

/// The directory of an attempt that is done with.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) home: AttemptHome,
    /// Whether nobody can use it any more.
    pub(crate) is_alone: bool,
}

/// Removes the directories of attempts that are done with, or keeps them for others, in a thread of its own.
pub(crate) fn start_cleaner(spares: Arc<Spares>, done: Receiver<Done>) -> io::Result<()> {
    thread::Builder::new()
        .name("akkaflow-clean".to_owned())
        .spawn(move || {
            for done in done {
                let cleaned = if done.is_alone {
                    spares.put(&done.home)
                } else {
                    done.home.remove()
                };
                if let Err(error) = cleaned {
                    tracing::warn!(error = %error, "cannot remove the directory of an attempt");
                }
            }
        })
        .map(drop)
}

/// Creates the directory for attachments ahead of the preparation.
pub(crate) fn create_home(home: &AttemptHome) -> io::Result<()> {
    home.create()?;
    fs::metadata(home.work()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        for name in ["", ".", "..", "/a", "a/b", "../a", "a/"] {
            assert!(plain_name(name).is_err(), "{name}");
        }
        assert_eq!(plain_name("数据.csv").unwrap(), "数据.csv");
    }

    #[test]
    fn parameter_names_become_variables_that_shells_can_read() {
        assert_eq!(variable("sta-date.1"), "sta_date_1");
    }
}
