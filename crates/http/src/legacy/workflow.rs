//! Workflows.

use akkaflow_model::command::{Answer, Command};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::{Lang, Text};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Outcome, Pairs, Success, execute, fail, instance_of, plan, respond, success, unknown_action,
    value,
};
use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::v1;

/// `/akkaflow/workflow/{name}`
pub(super) async fn one(
    State(app): Shared,
    Path(name): Path<String>,
    Query(pairs): Query<Pairs>,
) -> Response {
    let outcome = match value(&pairs, "action") {
        Some("del") => delete(&app, name).await,
        Some("get") => fail("暂时还没get方法", "there is no method get yet"),
        Some("run") => run(&app, name, &pairs).await,
        Some("reset") => reset(&app, name).await,
        Some("trigger") => trigger(&app, name, &pairs).await,
        Some("trigger-blood") => trigger_blood(&app, name, &pairs).await,
        _ => unknown_action(),
    };
    respond(outcome)
}

async fn delete(app: &App, name: String) -> Outcome {
    execute(app, Command::DeleteWorkflow { name: name.clone() }).await?;
    success(
        Text::new(
            format!("成功删除工作流{name}"),
            format!("deleted workflow {name}"),
        ),
        Value::Null,
    )
}

/// All parameters of the request go to the instance, but for `action`.
async fn run(app: &App, name: String, pairs: &Pairs) -> Outcome {
    let params: Vec<(String, String)> = pairs
        .iter()
        .filter(|(name, _)| name != "action")
        .cloned()
        .collect();
    let warnings = v1::unused_params(app, &name, &params).await;
    let command = Command::Run {
        name,
        params,
        date: None,
        idempotency_key: None,
        user: String::new(),
    };
    let id = instance_of(app, command).await?;
    Ok(Success {
        msg: Text::new(
            format!("已生成工作流实例,id:{id}"),
            format!("created an instance, id:{id}"),
        ),
        data: json!(id),
        warnings,
    })
}

async fn reset(app: &App, name: String) -> Outcome {
    execute(app, Command::ResetWorkflow { name: name.clone() }).await?;
    success(
        Text::new(
            format!("成功重置工作流[{name}]的调度器状态"),
            format!("reset the schedule of workflow [{name}]"),
        ),
        Value::Null,
    )
}

async fn trigger(app: &App, name: String, pairs: &Pairs) -> Outcome {
    let ignored = value(pairs, "ignore_node").unwrap_or_default();
    let ignore_nodes = ignored
        .split(',')
        .map(str::trim)
        .filter(|node| !node.is_empty())
        .map(ToOwned::to_owned)
        .collect::<Vec<_>>();
    // akkaflow passed over what it did not know.
    let warnings = v1::unknown_nodes(app, &name, &ignore_nodes).await;
    let command = Command::Trigger {
        name: name.clone(),
        ignore_nodes,
        date: value(pairs, "date").map(ToOwned::to_owned),
        user: String::new(),
    };
    let id = instance_of(app, command).await?;
    Ok(Success {
        msg: Text::new(
            format!("成功触发工作流[{name}: {id}]执行"),
            format!("triggered workflow [{name}: {id}]"),
        ),
        data: json!(id),
        warnings,
    })
}

async fn trigger_blood(app: &App, name: String, pairs: &Pairs) -> Outcome {
    let command = Command::TriggerBlood {
        name: name.clone(),
        date: value(pairs, "date").map(ToOwned::to_owned),
        user: String::new(),
    };
    let Answer::Chain { id, workflows } = execute(app, command).await? else {
        return fail(
            "master的应答与请求不符",
            "the master answered something else than was asked",
        );
    };
    let following = workflows.join(",");
    success(
        Text::new(
            format!("成功触发工作流[{name}: {id}]执行,后续依次关联的工作流: {following}"),
            format!("triggered workflow [{name}: {id}], after it follow: {following}"),
        ),
        json!(id.to_string()),
    )
}

#[derive(Deserialize)]
pub(super) struct XmlForm {
    xml: String,
}

/// `POST /akkaflow/workflow`
pub(super) async fn definition(
    State(app): Shared,
    Query(pairs): Query<Pairs>,
    form: Result<Form<XmlForm>, FormRejection>,
) -> Response {
    let action = value(&pairs, "action");
    let path = value(&pairs, "path").map(ToOwned::to_owned);
    let outcome = match (action, form) {
        (Some("add"), Ok(Form(form))) => add(&app, form.xml, path).await,
        (Some("check"), Ok(Form(form))) => check(&app, &form.xml, path.as_deref()).await,
        (Some("add" | "check"), Err(_)) => fail(
            "请以表单(application/x-www-form-urlencoded)提交xml参数",
            "send the definition as the form parameter `xml` (application/x-www-form-urlencoded)",
        ),
        _ => unknown_action(),
    };
    respond(outcome)
}

async fn add(app: &App, xml: String, path: Option<String>) -> Outcome {
    let command = Command::PutWorkflow {
        xml: xml.into_bytes(),
        path,
    };
    match execute(app, command).await {
        Ok(Answer::Put {
            name,
            created: true,
            ..
        }) => success(
            Text::new(
                format!("成功添加工作流{name}"),
                format!("added workflow {name}"),
            ),
            json!(name),
        ),
        Ok(Answer::Put { name, .. }) => success(
            Text::new(
                format!("成功更新工作流{name}"),
                format!("updated workflow {name}"),
            ),
            json!(name),
        ),
        Ok(_) => fail(
            "master的应答与请求不符",
            "the master answered something else than was asked",
        ),
        // No master is no fault of the definition.
        Err(failure) if failure.code == ErrorCode::Unavailable => Err(failure),
        Err(failure) => Err(prefixed(failure, "出错：", "failed: ")),
    }
}

fn prefixed(mut failure: Failure, zh: &str, en: &str) -> Failure {
    failure.text = Text::new(
        format!("{zh}{}", failure.text.zh),
        format!("{en}{}", failure.text.en),
    );
    failure
}

async fn check(app: &App, xml: &str, path: Option<&str>) -> Outcome {
    let checked = match v1::check(app, xml.as_bytes(), path, Lang::Zh).await {
        Ok(checked) => checked,
        Err(failure) if failure.findings.is_empty() => return Err(failure),
        Err(failure) => return Err(prefixed(failure, "出错信息: ", "errors: ")),
    };
    if !checked.missing_upstreams.is_empty() {
        let missing = checked.missing_upstreams.join(",");
        return fail(
            format!("不存在前置工作流: {missing}"),
            format!("there is no upstream workflow: {missing}"),
        );
    }
    if !checked.cycle.is_empty() {
        let cycle = checked.cycle.join(",");
        return fail(
            format!("失败，工作流依赖中存在有向环, 分别为：{cycle}"),
            format!("the dependencies would form a circle: {cycle}"),
        );
    }
    let msg = if checked.exists {
        Text::new(
            "xml解析成功，工作流已存在",
            "the xml is fine, the workflow exists",
        )
    } else {
        Text::new("xml解析成功", "the xml is fine")
    };
    success(msg, Value::Null)
}

/// `GET /akkaflow/workflow`
pub(super) async fn folder(Query(pairs): Query<Pairs>) -> Response {
    let outcome = match value(&pairs, "action") {
        Some("del-dir") => fail(
            "删除失败，该目录下不能有工作流；目录由工作流的dir属性决定，没有工作流的目录会自动消失",
            "cannot delete it: folders follow the `dir` of their workflows, and one without workflows vanishes by itself",
        ),
        _ => unknown_action(),
    };
    respond(outcome)
}

/// `/akkaflow/workflows`
pub(super) async fn all(State(app): Shared, Query(pairs): Query<Pairs>) -> Response {
    let outcome = match value(&pairs, "action") {
        Some("reset") => reset_all(&app).await,
        Some("today-trigger-left") => left_today(&app).await,
        _ => unknown_action(),
    };
    respond(outcome)
}

async fn reset_all(app: &App) -> Outcome {
    execute(app, Command::ResetAll).await?;
    success(
        Text::new("成功重置所有工作流状态", "reset all workflows"),
        Value::Null,
    )
}

async fn left_today(app: &App) -> Outcome {
    let counts = plan::left_today(app).await?;
    success(Text::new("成功获取数据", "here they are"), json!(counts))
}
