//! Workflow files that cannot be used as they are.

use std::path::Path;

use akkaflow_api::{Diagnostic, FileProblem};
use akkaflow_model::diagnostic::Severity;
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Lang;

use super::Outcome;
use crate::context::Context;
use crate::exit::exit_code;
use crate::failure::{Failure, findings};
use crate::screen::{Paint, Screen};

/// All of them.
pub(super) fn all(context: &Context) -> Result<Vec<FileProblem>, Failure> {
    context.client.get("/api/v1/file-problems")
}

/// How many there are, and the first error of each; nothing when there is none.
pub(super) fn lines(screen: &Screen, problems: &[FileProblem]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let count = problems.len();
    let head = match (screen.lang, count) {
        (Lang::Zh, _) => format!("{count}个工作流文件有错误，其最新内容未生效："),
        (Lang::En, 1) => "1 file has problems; its newest content is not in force:".to_owned(),
        (Lang::En, _) => {
            format!("{count} files have problems; their newest content is not in force:")
        }
    };
    let mut text = format!("\n{}\n", screen.paint(&head, Paint::Red));
    for problem in problems {
        let line = line(problem);
        let kept = problem.workflow.as_ref().filter(|_| problem.runs_on);
        let kept = kept.map_or_else(String::new, |name| last_good(screen, name));
        text.push_str(&format!("  {line}{kept}\n"));
    }
    text
}

fn last_good(screen: &Screen, name: &str) -> String {
    match screen.lang {
        Lang::Zh => format!("（工作流{name}仍使用上一个正确的版本）"),
        Lang::En => format!(" (workflow `{name}` runs on with its last good version)"),
    }
}

fn line(problem: &FileProblem) -> String {
    let path = &problem.path;
    match first_error(problem) {
        Some(error) => format!("{path}:{}:{} {}", error.line, error.column, error.message),
        None => path.clone(),
    }
}

fn first_error(problem: &FileProblem) -> Option<&Diagnostic> {
    let diagnostics = || problem.diagnostics.iter();
    diagnostics()
        .find(|diagnostic| diagnostic.severity == Severity::Error)
        .or_else(|| diagnostics().next())
}

/// For a workflow that runs on: the errors of its newest content, and files that want to define it as well.
pub(super) fn of_newest_content(context: &Context, problems: Vec<FileProblem>) -> String {
    let (own, others): (Vec<FileProblem>, Vec<FileProblem>) =
        problems.into_iter().partition(|problem| problem.runs_on);
    let newest = context.say(
        "注意：文件的最新内容有错误，仍在使用上一个正确的版本：",
        "note: the newest content of the file has errors; the last good version stays in force:",
    );
    let second = context.say(
        "注意：另有文件也与该工作流有关，未生效：",
        "note: another file is about this workflow too and is not used:",
    );
    let mut text = String::new();
    for (note, problems) in [(newest, own), (second, others)] {
        if !problems.is_empty() {
            text.push_str(&format!("\n{note}\n{}", spelled_out(context, problems)));
        }
    }
    text
}

/// Every finding; the path alone where there is none.
fn spelled_out(context: &Context, problems: Vec<FileProblem>) -> String {
    let mut text = String::new();
    for problem in problems {
        if problem.diagnostics.is_empty() {
            text.push_str(&format!("{}\n", problem.path));
        }
        text.push_str(&findings(context, problem.diagnostics));
    }
    text
}

/// Whether the problem is about a workflow of that name: it says so, or its file is called so.
fn concerns(problem: &FileProblem, name: &str) -> bool {
    let stem = Path::new(&problem.path).file_stem();
    problem.workflow.as_deref() == Some(name) || stem.is_some_and(|stem| stem == name)
}

/// A workflow that does not exist may be one whose file is broken: then that is said too.
pub(super) fn explain_absence(context: &Context, name: &str, outcome: Outcome) -> Outcome {
    let code = match &outcome {
        Ok(code) => *code,
        Err(failure) => failure.exit_code(),
    };
    if code != exit_code(ErrorCode::NotFound) {
        return outcome;
    }
    let mut problems = all(context).unwrap_or_default();
    problems.retain(|problem| concerns(problem, name));
    if problems.is_empty() {
        return outcome;
    }
    if let Err(failure) = outcome {
        eprint!("{}", failure.render(context));
    }
    if !context.is_json {
        let note = context.say(
            "它的文件有错误，因此未能加载：",
            "its file has errors and was not loaded:",
        );
        eprint!("{note}\n{}", spelled_out(context, problems));
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::testing::screen;
    use serde_json::json;

    fn problem(path: &str, workflow: Option<&str>) -> FileProblem {
        let diagnostic = |severity: &str, line: u32| {
            json!({
                "code": "AF104", "severity": severity, "file": path, "line": line, "column": 33, "width": 1,
                "excerpt": "<a/>", "message": "wrong", "help": null
            })
        };
        serde_json::from_value(json!({
            "path": path, "workflow": workflow, "found_at": "2026-11-21T01:00:00.000Z",
            "diagnostics": [diagnostic("warning", 1), diagnostic("error", 2), diagnostic("error", 3)]
        }))
        .unwrap()
    }

    #[test]
    fn each_file_shows_its_first_error_at_its_place() {
        let problems = [problem("xmlconfig/a.xml", None), problem("b.xml", None)];
        let text = lines(&screen(Lang::En, None), &problems);
        assert_eq!(
            text,
            "\n2 files have problems; their newest content is not in force:\n  \
             xmlconfig/a.xml:2:33 wrong\n  b.xml:2:33 wrong\n"
        );
        let text = lines(&screen(Lang::Zh, None), &problems[..1]);
        assert!(text.contains("1个工作流文件有错误"), "{text}");
        assert_eq!(lines(&screen(Lang::En, None), &[]), "");
    }

    #[test]
    fn a_workflow_that_runs_on_with_its_last_good_version_is_named() {
        let kept = FileProblem {
            runs_on: true,
            ..problem("a.xml", Some("日报"))
        };
        let problems = [kept, problem("new.xml", Some("new"))];
        let text = lines(&screen(Lang::En, None), &problems);
        assert!(
            text.contains(
                "a.xml:2:33 wrong (workflow `日报` runs on with its last good version)\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("new.xml:2:33 wrong\n"), "{text}");
        let text = lines(&screen(Lang::Zh, None), &problems);
        assert!(
            text.contains("（工作流日报仍使用上一个正确的版本）"),
            "{text}"
        );
    }

    #[test]
    fn a_problem_concerns_its_workflow_or_the_name_of_its_file() {
        assert!(concerns(&problem("dir/日报.xml", None), "日报"));
        assert!(concerns(&problem("x.xml", Some("日报")), "日报"));
        assert!(!concerns(&problem("x.xml", None), "日报"));
    }
}
