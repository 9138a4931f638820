//! `akka fmt PATH...`: puts the lines of definitions straight.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use akkaflow_actions::Registry;
use akkaflow_model::check::{is_calendar, reason};
use akkaflow_model::indent::{Mended, MendedLine, Refused, mend};
use akkaflow_model::render::locate_all;
use akkaflow_model::shape::Shape;
use akkaflow_model::text::Lang;
use akkaflow_model::xml::MAX_BYTES;
use clap::ArgMatches;
use serde_json::{Value, json};

use super::Outcome;
use super::check::gather::{self, Gathered, Wanted};
use super::check::read::{STANDARD, STANDARD_NAME, bytes_of, standard_input};
use crate::context::Context;
use crate::exit::{FAILED, USAGE};

/// How it went.
#[derive(Default)]
struct Counts {
    changed: usize,
    same: usize,
    refused: usize,
    json: Vec<Value>,
}

/// Mends what was named, or with `--check` says what would change.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let is_check = matches.get_flag("check");
    let named: Vec<PathBuf> = matches
        .get_many::<String>("PATH")
        .into_iter()
        .flatten()
        .map(PathBuf::from)
        .collect();
    let bodies = Registry::builtin().shapes();
    if named.iter().any(|path| path.as_os_str() == STANDARD) {
        return standard(context, &named, &bodies, is_check);
    }
    let Gathered { files, wrong } = gather::gather(&named, Wanted::Xml);
    if let Some((path, why)) = wrong.first() {
        let cannot = context.say("无法读取", "cannot read");
        let colon = context.say("：", ": ");
        let (path, why) = (path.display(), why.get(context.screen.lang));
        eprintln!("{} {cannot} {path}{colon}{why}", error(context));
        return Ok(USAGE);
    }
    let mut counts = Counts::default();
    for file in &files {
        let is_named = named.contains(file);
        one(context, file, is_named, &bodies, is_check, &mut counts);
    }
    finish(context, is_check, &counts)
}

fn error(context: &Context) -> &str {
    context.say("错误：", "error:")
}

fn standard(context: &Context, named: &[PathBuf], bodies: &[Shape], is_check: bool) -> Outcome {
    if named.len() > 1 {
        let alone = context.say("`-` 不能与其他路径同用", "`-` stands alone");
        eprintln!("{} {alone}", error(context));
        return Ok(USAGE);
    }
    let bytes = match standard_input() {
        Ok(bytes) => bytes,
        Err(problem) => {
            let problem = reason(&problem);
            let problem = problem.get(context.screen.lang);
            eprintln!("{} {STANDARD_NAME}: {problem}", error(context));
            return Ok(USAGE);
        }
    };
    let mended = match mend(&bytes, bodies) {
        Ok(mended) => mended,
        Err(refused) => {
            refuse(context, STANDARD_NAME, &refused);
            return Ok(FAILED);
        }
    };
    if is_check {
        show(context, STANDARD_NAME, &mended.lines);
        return Ok(if mended.lines.is_empty() { 0 } else { FAILED });
    }
    // Nobody is left to tell when the reader has gone.
    let _ = std::io::stdout().write_all(&mended.bytes);
    Ok(0)
}

fn one(
    context: &Context,
    path: &Path,
    is_named: bool,
    bodies: &[Shape],
    is_check: bool,
    counts: &mut Counts,
) {
    let name = path.display().to_string();
    match mended(context, path, is_named, bodies) {
        Ok(None) => {}
        Ok(Some(mended)) if mended.lines.is_empty() => counts.same += 1,
        Ok(Some(mended)) => {
            if let Err(problem) = keep(path, &mended.bytes, is_check) {
                let cannot = context.say("无法写入", "cannot write");
                let problem = reason(&problem);
                let problem = problem.get(context.screen.lang);
                eprintln!("{} {cannot} {name}: {problem}", error(context));
                counts.refused += 1;
                return;
            }
            counts.changed += 1;
            if context.is_json {
                counts
                    .json
                    .push(json!({ "file": name, "lines": mended.lines.len() }));
            } else if is_check {
                show(context, &name, &mended.lines);
            } else {
                outln!("{name}");
            }
        }
        Err(()) => counts.refused += 1,
    }
}

/// The mended file; nothing for one that is none of ours and was not named.
fn mended(
    context: &Context,
    path: &Path,
    is_named: bool,
    bodies: &[Shape],
) -> Result<Option<Mended>, ()> {
    let name = path.display().to_string();
    if is_calendar(path) {
        let sentence = context.say(
            "是日历，不是XML，无需整理；检查请用 akka check",
            "is a calendar, not XML, and needs no mending; akka check looks at it",
        );
        eprintln!("{} {name} {sentence}", error(context));
        return Err(());
    }
    let bytes = match bytes_of(path) {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(size)) => {
            let large = context.say("文件过大", "the file is too large");
            eprintln!("{} {name}: {large} ({size} > {MAX_BYTES})", error(context));
            return Err(());
        }
        Err(problem) => {
            let cannot = context.say("无法读取", "cannot read");
            let problem = problem.get(context.screen.lang);
            eprintln!("{} {cannot} {name}: {problem}", error(context));
            return Err(());
        }
    };
    match mend(&bytes, bodies) {
        Ok(mended) => Ok(Some(mended)),
        Err(Refused::OtherRoot { .. }) if !is_named => Ok(None),
        Err(refused) => {
            refuse(context, &name, &refused);
            Err(())
        }
    }
}

fn refuse(context: &Context, name: &str, refused: &Refused) {
    match refused {
        Refused::IllFormed {
            source,
            diagnostics,
        } => {
            let findings = locate_all(source, name, diagnostics);
            let said = context.screen.findings(&findings);
            eprint!("{said}");
        }
        Refused::OtherRoot { label } => {
            let sentence = match context.screen.lang {
                Lang::Zh => format!("{name}: 根节点是 <{label}>，不是工作流或连接文件"),
                Lang::En => format!("{name}: <{label}> is no workflow and no file of links"),
            };
            eprintln!("{} {sentence}", error(context));
        }
    }
}

/// Writes beside the file and renames, so that nobody ever reads half of it. Hidden files are none to those who watch.
fn keep(path: &Path, bytes: &[u8], is_check: bool) -> std::io::Result<()> {
    if is_check {
        return Ok(());
    }
    let path = path.canonicalize()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::set_permissions(&beside, std::fs::metadata(&path)?.permissions()))
        .and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// As a unified difference without context.
fn show(context: &Context, name: &str, lines: &[MendedLine]) {
    if context.is_json || lines.is_empty() {
        return;
    }
    outln!("--- {name}\n+++ {name}");
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let length = rest
            .iter()
            .enumerate()
            .take_while(|(number, line)| line.line == first.line + number)
            .count();
        let (hunk, behind) = rest.split_at(length);
        outln!("@@ -{},{length} +{},{length} @@", first.line, first.line);
        hunk.iter().for_each(|line| outln!("-{}", line.old));
        hunk.iter().for_each(|line| outln!("+{}", line.new));
        rest = behind;
    }
}

fn finish(context: &Context, is_check: bool, counts: &Counts) -> Outcome {
    let Counts {
        changed,
        same,
        refused,
        json,
    } = counts;
    if context.is_json {
        outln!(
            "{}",
            json!({ "changed": json, "same": same, "refused": refused })
        );
    } else {
        let refusals = match (context.screen.lang, refused) {
            (_, 0) => String::new(),
            (Lang::Zh, count) => format!("，{count} 个无法处理"),
            (Lang::En, count) => format!(", {count} refused"),
        };
        let sentence = match (context.screen.lang, is_check) {
            (Lang::Zh, true) => format!("{changed} 个文件需要整理，{same} 个无需整理{refusals}"),
            (Lang::Zh, false) => format!("已整理 {changed} 个文件，{same} 个无需整理{refusals}"),
            (Lang::En, true) => format!("{changed} to mend, {same} as they should be{refusals}"),
            (Lang::En, false) => format!("{changed} mended, {same} as they were{refusals}"),
        };
        eprintln!("{sentence}");
    }
    let is_bad = *refused > 0 || (is_check && *changed > 0);
    Ok(if is_bad { FAILED } else { 0 })
}
