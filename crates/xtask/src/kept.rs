//! What a command keeps between two calls, as JSON below the target directory.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// What an earlier call left; `None` when there was none.
pub(crate) fn read(file: &Path) -> Result<Option<Value>> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("read {}", file.display())),
    };
    let value = serde_json::from_slice(&text).with_context(|| damaged(file))?;
    Ok(Some(value))
}

/// Writes it so that a reader finds the old or the new state, never half of one.
pub(crate) fn write(file: &Path, value: &Value) -> Result<()> {
    let beside = file.with_extension("json.new");
    std::fs::write(&beside, format!("{value:#}"))
        .and_then(|()| std::fs::rename(&beside, file))
        .with_context(|| format!("write {}", file.display()))
}

/// What is said of a file that cannot be used.
pub(crate) fn damaged(file: &Path) -> String {
    format!("{} is damaged; remove it", file.display())
}
