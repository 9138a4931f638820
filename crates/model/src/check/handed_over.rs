//! The parameters that a node hands over to the workflow that it starts, held against what that asks for.

use super::outline::{Given, Outline, Place, Started};
use crate::code;
use crate::diagnostic::{Finding, Severity};
use crate::quote::shortened;
use crate::suggest::did_you_mean;
use crate::text::Text;

/// Adds what does not fit. The other file may come to fit later, so it is a warning.
pub(super) fn check(
    file: &str,
    child: &Started,
    workflow: &Outline,
    searches_left: &mut usize,
    findings: &mut Vec<Finding>,
) {
    for given in &child.params {
        let asked = workflow
            .params
            .iter()
            .find(|asked| asked.name == given.name);
        let Some(asked) = asked else {
            findings.push(unknown(file, given, workflow, searches_left));
            continue;
        };
        if let (Some(rule), Some((value, at))) = (&asked.rule, &given.literal)
            && let Err(problem) = rule.check(value)
        {
            let help = Text::new(
                "该节点会失败；请修改值，或修改子工作流对参数的要求",
                "the node fails; change the value, or what the sub-workflow asks of it",
            );
            findings.push(finding(file, at, problem, help));
        }
    }
    let is_given = |name: &str| child.params.iter().any(|given| given.name == name);
    let missing = workflow.params.iter().filter(|asked| asked.is_needed);
    for asked in missing.filter(|asked| !is_given(&asked.name)) {
        findings.push(lacking(file, child, &asked.name));
    }
}

fn unknown(file: &str, given: &Given, workflow: &Outline, searches_left: &mut usize) -> Finding {
    let (name, other) = (shortened(&given.name), shortened(&workflow.name));
    let message = Text::new(
        format!("工作流 `{other}` 没有声明也没有使用参数 `{name}`"),
        format!("workflow `{other}` neither declares nor uses a parameter `{name}`"),
    );
    let suggestion = searches_left.checked_sub(1).and_then(|left| {
        *searches_left = left;
        did_you_mean(
            &given.name,
            workflow.params.iter().map(|asked| asked.name.as_str()),
        )
    });
    let help = suggestion.unwrap_or_else(|| {
        Text::new(
            format!("请删除它，或在 `{other}` 的 <param-list> 中声明"),
            format!("remove it, or declare it in the <param-list> of `{other}`"),
        )
    });
    finding(file, &given.name_at, message, help)
}

fn lacking(file: &str, child: &Started, name: &str) -> Finding {
    let (name, other) = (shortened(name), shortened(&child.name));
    let message = Text::new(
        format!("工作流 `{other}` 必须得到参数 `{name}`，此处没有传给它，该节点会失败"),
        format!(
            "workflow `{other}` must be given the parameter `{name}`: without it the node fails"
        ),
    );
    let help = Text::new(
        format!("请添加 <param name=\"{name}\" value=\"...\"/>"),
        format!("add <param name=\"{name}\" value=\"...\"/>"),
    );
    finding(file, &child.at, message, help)
}

fn finding(file: &str, at: &Place, message: Text, help: Text) -> Finding {
    let kind = (code::SUB_WORKFLOW_PARAM, Severity::Warning);
    at.finding(file, kind, message, help)
}
