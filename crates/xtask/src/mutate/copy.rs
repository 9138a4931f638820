//! A copy of the workspace, so that no mutant ever stands in the sources themselves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Copies what git tracks, or would track, but for `except`; leaves alone what is the same, so that cargo need not build it again.
pub(crate) fn copy(root: &Path, to: &Path, except: &BTreeSet<String>) -> Result<()> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("run git ls-files")?;
    ensure!(
        output.status.success(),
        "git does not list the files of the repository"
    );
    let names = String::from_utf8(output.stdout).context("read the names of files")?;
    let names: BTreeSet<&str> = names
        .split_terminator('\0')
        .filter(|name| root.join(name).is_file())
        .collect();
    remove_others(to, to, &|name| {
        names.contains(name) || except.contains(name)
    })?;
    for name in names.iter().filter(|name| !except.contains(**name)) {
        let from = root.join(name);
        let bytes = std::fs::read(&from).with_context(|| format!("read {}", from.display()))?;
        put(&to.join(name), &bytes)?;
    }
    Ok(())
}

/// Writes a file unless it is so already.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(path))?;
        std::fs::write(path, bytes)
    };
    write().with_context(|| format!("write {}", path.display()))
}

/// Removes what an earlier copy held and the repository does not any more.
fn remove_others(root: &Path, directory: &Path, is_kept: &impl Fn(&str) -> bool) -> Result<()> {
    for path in entries(directory)? {
        if path.is_dir() {
            remove_others(root, &path, is_kept)?;
        } else if !is_kept(&relative(root, &path)) {
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// The source files below a directory, in order.
pub(crate) fn sources(root: &Path, directory: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in entries(&root.join(directory))? {
        let name = relative(root, &path);
        if path.is_dir() {
            found.extend(sources(root, &name)?);
        } else if name.ends_with(".rs") {
            found.push(name);
        }
    }
    Ok(found)
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// What lies in a directory, in order; nothing when there is none.
fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let read = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(directory)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let mut found = read().with_context(|| format!("read {}", directory.display()))?;
    found.sort();
    Ok(found)
}
