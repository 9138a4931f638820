//! Files that killed workers left half written, under the names that they had meanwhile.

use std::time::{Duration, SystemTime};

use akkaflow_connectors::{FileEntry, FileSystem, temporary_name};
use akkaflow_model::text::Text;

use crate::context::{AttemptContext, Level};

/// Nobody writes one file for so long: what is older is left over, whoever wrote it.
const OLD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a look may take: a directory may be huge, and the machine far away.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// What makes a file's name differ while `attempt` writes it: the instance and the node, then run and attempt.
pub(super) fn unique(attempt: &AttemptContext) -> String {
    let key = &attempt.key;
    format!("{}{}-{}", owner(attempt), key.run, key.attempt)
}

fn owner(attempt: &AttemptContext) -> String {
    let node = crc32c::crc32c(attempt.key.node.as_bytes());
    format!("{}-{node:08x}-", attempt.key.instance.short())
}

/// Removes what earlier attempts of this node left of the file at `path`, and whatever is old. Nobody else's: another node may be writing the same
/// file. That it fails harms nothing.
pub(super) async fn remove(attempt: &AttemptContext, files: &dyn FileSystem, path: &str) {
    let (directory, name) = match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => (".", path),
    };
    let Ok(Ok(entries)) = tokio::time::timeout(LOOK_LIMIT, files.list(directory)).await else {
        return;
    };
    let before = SystemTime::now() - OLD;
    for entry in entries.iter().filter(|entry| is_file(entry)) {
        let Some(unique) = unique_of(&entry.name, name) else {
            continue;
        };
        let changed = entry.file.and_then(|file| file.changed);
        let is_old = changed.is_some_and(|changed| changed < before);
        if !is_old && !is_of_earlier(attempt, unique) {
            continue;
        }
        let left = format!("{directory}/{}", entry.name);
        let removing = tokio::time::timeout(LOOK_LIMIT, files.remove(&left));
        if matches!(removing.await, Ok(Ok(()))) {
            let left = &entry.name;
            let text = Text::new(
                format!("已删除中断的传输留下的文件{left}"),
                format!("removed {left}, which a transfer that broke off had left"),
            );
            attempt.log.say(Level::Warn, &text);
        }
    }
}

fn is_file(entry: &FileEntry) -> bool {
    entry.file.is_some() && !entry.is_link
}

/// What makes the name `left` differ, where it is one that the file called `name` has while it is written.
fn unique_of<'a>(left: &'a str, name: &str) -> Option<&'a str> {
    let whole = temporary_name(name, "\0");
    let (start, end) = whole.split_once('\0')?;
    let unique = left.strip_prefix(start)?.strip_suffix(end)?;
    let mut parts = unique.split('-');
    let is_instance = parts.next()?.len() == 8;
    let is_hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_ours = is_instance
        && unique
            .split('-')
            .all(|part| !part.is_empty() && is_hexadecimal(part))
        && matches!(parts.count(), 2 | 3);
    is_ours.then_some(unique)
}

fn is_of_earlier(attempt: &AttemptContext, unique: &str) -> bool {
    let numbers = unique.strip_prefix(&owner(attempt));
    let numbers = numbers.and_then(|numbers| {
        let (run, number) = numbers.split_once('-')?;
        Some((run.parse::<u64>().ok()?, number.parse::<u64>().ok()?))
    });
    let own = (u64::from(attempt.key.run), u64::from(attempt.key.attempt));
    numbers.is_some_and(|numbers| numbers < own)
}
