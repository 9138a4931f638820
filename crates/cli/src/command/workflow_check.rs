//! Checking a file, which needs no server, and adding it.

use std::path::Path;

use akkaflow_actions::Registry;
use akkaflow_api::{Checked, Diagnostic, Put};
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::read::{Reading, read_workflow};
use akkaflow_model::text::Lang;
use akkaflow_model::xml::MAX_BYTES;
use serde_json::json;

use super::check::read::bytes_of;
use super::{Outcome, print_json, print_legacy};
use crate::client::encode;
use crate::context::Context;
use crate::exit::FAILED;
use crate::failure::Failure;

/// A file that was read.
struct File {
    bytes: Vec<u8>,
    reading: Reading,
    findings: Vec<Finding>,
}

fn read(context: &Context, path: &str) -> Result<File, Failure> {
    let read = bytes_of(Path::new(path)).map_err(|error| {
        let cannot = context.say("无法读取文件", "cannot read");
        let why = error.get(context.screen.lang);
        Failure::new(ErrorCode::NotFound, format!("{cannot} {path}: {why}"))
    })?;
    let bytes = read.map_err(|size| {
        let large = context.say("文件过大，未读取", "the file is too large to be read");
        let message = format!("{large}: {path} ({size} > {MAX_BYTES})");
        Failure::new(ErrorCode::Invalid, message)
    })?;
    let reading = read_workflow(&bytes, &Registry::builtin());
    let findings = reading.findings(path);
    Ok(File {
        bytes,
        reading,
        findings,
    })
}

/// What only the server knows about a definition.
enum Compared {
    Fine(Checked),
    /// It could not be asked.
    Unknown(Failure),
}

/// Every mistake of the file; when a server is there, also what does not fit the workflows in force.
pub(super) fn check(context: &Context, path: &str) -> Outcome {
    let file = read(context, path)?;
    let Some(workflow) = &file.reading.workflow else {
        return report_errors(context, &file);
    };
    let compared = compare(context, &file, path);
    if context.is_json {
        return print_checked(context, &file, &compared);
    }
    match &compared {
        Compared::Fine(checked) => told(context, checked),
        Compared::Unknown(_) => out!("{}", rendered(context, &file.findings)),
    }
    let code = match &compared {
        Compared::Fine(checked) => report(context, checked),
        Compared::Unknown(failure) if failure.code == ErrorCode::Unavailable => {
            outln!("{}", fine(context, &workflow.name, false));
            eprintln!(
                "{}",
                context.say(
                    "（未连接到服务，没有检查前置工作流是否存在）",
                    "(no server is reachable: whether its upstream workflows exist was not checked)"
                )
            );
            0
        }
        Compared::Unknown(failure) => {
            eprint!("{}", failure.render(context));
            crate::exit_code(failure.code)
        }
    };
    Ok(code)
}

fn compare(context: &Context, file: &File, path: &str) -> Compared {
    let url = format!("/api/v1/workflows/check?path={}", encode(path));
    let answer = context.client.post_xml(&url, file.bytes.clone());
    match answer.and_then(|answer| context.client.parse(&answer)) {
        Ok(checked) => Compared::Fine(checked),
        Err(failure) => Compared::Unknown(failure),
    }
}

fn rendered(context: &Context, findings: &[Finding]) -> String {
    context.screen.findings(findings)
}

fn report_errors(context: &Context, file: &File) -> Outcome {
    if context.is_json {
        let diagnostics = diagnostics(context, &file.findings);
        outln!("{}", json!({ "diagnostics": diagnostics }));
    } else {
        out!("{}", rendered(context, &file.findings));
    }
    Ok(FAILED)
}

fn diagnostics(context: &Context, findings: &[Finding]) -> Vec<Diagnostic> {
    findings
        .iter()
        .map(|finding| Diagnostic::new(finding, context.screen.lang))
        .collect()
}

fn print_checked(context: &Context, file: &File, compared: &Compared) -> Outcome {
    let workflow = file.reading.workflow.as_ref();
    let name = workflow.map(|workflow| &workflow.name);
    let version = workflow.map(|workflow| &workflow.version);
    match compared {
        Compared::Fine(checked) => {
            outln!("{}", serde_json::to_string(checked).expect("plain data"));
            let is_fine = checked.missing_upstreams.is_empty() && checked.cycle.is_empty();
            Ok(if is_fine { 0 } else { FAILED })
        }
        Compared::Unknown(_) => {
            let diagnostics = diagnostics(context, &file.findings);
            let body = json!({ "name": name, "version": version, "diagnostics": diagnostics });
            outln!("{body}");
            Ok(0)
        }
    }
}

/// Every finding, those too that come of the workflows in force.
fn told(context: &Context, checked: &Checked) {
    out!(
        "{}",
        crate::failure::findings(context, checked.diagnostics.clone())
    );
}

fn fine(context: &Context, name: &str, exists: bool) -> String {
    match (context.screen.lang, exists) {
        (Lang::Zh, true) => "xml解析成功，工作流已存在".to_owned(),
        (Lang::Zh, false) => "xml解析成功".to_owned(),
        (Lang::En, true) => format!("workflow `{name}` is fine; it exists and would be replaced"),
        (Lang::En, false) => format!("workflow `{name}` is fine"),
    }
}

/// It is defined by a file already: only there it can be changed.
fn fine_in_file(context: &Context, name: &str, file: &str) -> String {
    match context.screen.lang {
        Lang::Zh => format!("xml解析成功；工作流由文件{file}定义，请修改该文件，add会被拒绝"),
        Lang::En => format!(
            "workflow `{name}` is fine; it is defined by {file}: change it there, `add` is refused"
        ),
    }
}

/// Says what the server found; gives the exit code.
fn report(context: &Context, checked: &Checked) -> u8 {
    if !checked.missing_upstreams.is_empty() {
        let head = context.say("不存在前置工作流", "there is no upstream workflow");
        outln!("{head}: {}", checked.missing_upstreams.join(","));
        return FAILED;
    }
    if !checked.cycle.is_empty() {
        let head = context.say(
            "失败，工作流依赖中存在有向环, 分别为",
            "the dependencies would form a circle",
        );
        outln!("{head}：{}", checked.cycle.join(","));
        return FAILED;
    }
    let fine = match &checked.file {
        Some(file) => fine_in_file(context, &checked.name, file),
        None => fine(context, &checked.name, checked.exists),
    };
    outln!("{fine}");
    0
}

/// Checks first, and adds only what is right.
pub(super) fn add(context: &Context, path: &str) -> Outcome {
    let file = read(context, path)?;
    if file.reading.workflow.is_none() {
        return report_errors(context, &file);
    }
    let absolute = std::path::absolute(Path::new(path)).unwrap_or_else(|_| path.into());
    let absolute = absolute.to_string_lossy();
    if context.is_legacy && !context.is_json {
        return add_as_akkaflow(context, &file, &absolute);
    }
    let checked: Checked = {
        let url = format!("/api/v1/workflows/check?path={}", encode(path));
        let answer = context.client.post_xml(&url, file.bytes.clone())?;
        context.client.parse(&answer)?
    };
    if !checked.missing_upstreams.is_empty() || !checked.cycle.is_empty() {
        told(context, &checked);
        return Ok(report(context, &checked));
    }
    let url = format!("/api/v1/workflows?path={}", encode(&absolute));
    let answer = context.client.post_xml(&url, file.bytes)?;
    if context.is_json {
        return print_json(&answer);
    }
    let put: Put = context.client.parse(&answer)?;
    out!("{}", crate::failure::findings(context, put.diagnostics));
    let (name, version) = (put.name, put.version);
    match (context.screen.lang, put.created) {
        (Lang::Zh, true) => outln!("成功添加工作流{name}，版本{version}"),
        (Lang::Zh, false) => outln!("成功更新工作流{name}，版本{version}"),
        (Lang::En, true) => outln!("added workflow `{name}`, version {version}"),
        (Lang::En, false) => outln!("updated workflow `{name}`, version {version}"),
    }
    Ok(0)
}

/// Both answers are printed as they come, as akkaflow does; the second only after a good first one.
fn add_as_akkaflow(context: &Context, file: &File, absolute: &str) -> Outcome {
    let xml = &file.reading.source;
    let code = print_legacy(
        context,
        "/akkaflow/workflow?action=check",
        Some(&[("xml", xml)]),
    )?;
    if code != 0 {
        return Ok(code);
    }
    let url = format!("/akkaflow/workflow?action=add&path={}", encode(absolute));
    print_legacy(context, &url, Some(&[("xml", xml)]))
}
