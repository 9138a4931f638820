//! Parameters of a run that its workflow knows nothing of: most likely misspelt.

use std::collections::BTreeSet;

use akkaflow_model::suggest::closest;
use akkaflow_model::text::Text;

use crate::app::App;

/// A sentence for each parameter that the workflow neither declares nor uses. None when the definition cannot be read: a
/// warning is never a reason to refuse a run.
pub(crate) async fn warnings(app: &App, name: &str, params: &[(String, String)]) -> Vec<Text> {
    if params.is_empty() {
        return Vec::new();
    }
    let store = &*app.store;
    let Ok(Some(row)) = store.workflow(name).await else {
        return Vec::new();
    };
    let Ok(Some(version)) = store.version(&row.version.0).await else {
        return Vec::new();
    };
    let Ok(Some(workflow)) = app.definitions.get(store, &row.version).await else {
        return Vec::new();
    };
    let mut known: BTreeSet<&str> = workflow.used_params.iter().map(String::as_str).collect();
    let declared = workflow.coordinator.iter();
    known.extend(
        declared
            .flat_map(|coordinator| &coordinator.params)
            .map(|(name, _)| name.as_str()),
    );
    let given: BTreeSet<&str> = params.iter().map(|(name, _)| name.as_str()).collect();
    given
        .into_iter()
        .filter(|param| !known.contains(param) && !is_in_environment(&version.xml, param))
        .map(|param| sentence(name, param, &known))
        .collect()
}

/// A sentence for each node that shall be passed over and that the workflow does not have. None when the definition cannot be read.
pub(crate) async fn unknown_nodes(app: &App, name: &str, nodes: &[String]) -> Vec<Text> {
    if nodes.is_empty() {
        return Vec::new();
    }
    let Ok(Some(row)) = app.store.workflow(name).await else {
        return Vec::new();
    };
    let Ok(Some(workflow)) = app.definitions.get(&*app.store, &row.version).await else {
        return Vec::new();
    };
    let has = |wanted: &str| workflow.nodes.iter().any(|node| node.name == wanted);
    let unknown = nodes.iter().filter(|node| !has(node));
    let sentence = |node: &String| {
        let near = closest(node, workflow.nodes.iter().map(|node| node.name.as_str()));
        let (zh, en) = near.map_or_else(Default::default, |near| {
            (
                format!("；是否想写 `{near}`？"),
                format!("; did you mean `{near}`?"),
            )
        });
        Text::new(
            format!("工作流{name}没有节点 `{node}`，无法忽略{zh}"),
            format!("workflow `{name}` has no node `{node}` to pass over{en}"),
        )
    };
    unknown.map(sentence).collect()
}

/// Whether a script reads it from its environment.
fn is_in_environment(xml: &str, param: &str) -> bool {
    let is_letter = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric();
    let letters = param.chars().map(|c| if is_letter(c) { c } else { '_' });
    let variable: String = "AKKAFLOW_PARAM_".chars().chain(letters).collect();
    xml.match_indices(&variable).any(|(at, _)| {
        let next = xml[at + variable.len()..].chars().next();
        !next.is_some_and(|c| is_letter(c) || c == '_')
    })
}

fn sentence(workflow: &str, param: &str, known: &BTreeSet<&str>) -> Text {
    let (hint_zh, hint_en) = match closest(param, known.iter().copied()) {
        Some(near) => (
            format!("；是否想写 `{near}`？"),
            format!("; did you mean `{near}`?"),
        ),
        None if known.is_empty() => (
            "；它没有任何参数".to_owned(),
            "; it has no parameters".to_owned(),
        ),
        None => {
            let list: Vec<&str> = known.iter().copied().collect();
            let list = list.join(", ");
            (format!("；它的参数有: {list}"), format!("; it has: {list}"))
        }
    };
    Text::new(
        format!("工作流{workflow}既未声明也未使用参数 `{param}`{hint_zh}"),
        format!("workflow `{workflow}` neither declares nor uses a parameter `{param}`{hint_en}"),
    )
}
