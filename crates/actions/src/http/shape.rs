//! What `<http>` may hold, and what is wrong with its values.

use akkaflow_model::code;
use akkaflow_model::condition::{ANSWER_VARIABLES, Condition};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;

/// The statuses that a server answers with.
const STATUS: AttributeKind = AttributeKind::Codes { min: 100, max: 599 };

/// The methods that a request may have.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// All of it.
pub(super) fn shape(tag: &'static str) -> Shape {
    let attribute =
        |name, kind, zh: &str, en: &str| AttributeShape::new(name, kind, Text::new(zh, en));
    let method = attribute(
        "method",
        AttributeKind::Choice(METHODS),
        "请求方法",
        "the method",
    );
    let expected = attribute(
        "expect-status",
        STATUS,
        "表示成功的状态码",
        "the statuses that mean success",
    );
    let retried = attribute(
        "retry-status",
        STATUS,
        "可以重试的状态码；默认所有非成功的状态码都可重试",
        "the statuses after which another attempt is made; all that are no success by default",
    );
    let limit = attribute(
        "time-limit",
        AttributeKind::Duration,
        "一次请求从连接到读完应答的时间上限",
        "how long one request may take, from connecting to the end of the answer",
    );
    Shape::new(
        tag,
        Text::new(
            "调用HTTP接口并检查应答；JSON应答的字段以及http_status、http_body可作为输出",
            "calls a web service and checks the answer; the fields of a JSON answer, http_status and http_body may be handed on as outputs",
        ),
    )
    .attribute(attribute("url", AttributeKind::NonBlank, "地址", "the address").required())
    .attribute(method.default("GET"))
    .attribute(expected.default("200-299"))
    .attribute(retried)
    .attribute(limit.default("60s"))
    .child(header(), 0, None)
    .child(body(), 0, Some(1))
    .child(answer_check(), 0, None)
    .example(
        "<http url=\"https://example.com/jobs\" method=\"POST\" expect-status=\"200,202\" retry-status=\"429,502-504\">\n  <header name=\"Accept\">application/json</header>\n  <body content-type=\"application/json\">{\"date\": \"${param:date}\"}</body>\n  <check>json.state == 'accepted'</check>\n</http>",
    )
}

/// Names every value that is wrong although the shape allows it.
pub(super) fn check(element: &Element, diagnostics: &mut Diagnostics) {
    check_url(element, diagnostics);
    check_body(element, diagnostics);
    for check in element.elements_named("check") {
        check_answer_check(check, diagnostics);
    }
}

fn header() -> Shape {
    let name = AttributeShape::new(
        "name",
        AttributeKind::NonBlank,
        Text::new("请求头名称", "its name"),
    );
    Shape::new("header", Text::new("请求头", "a header of the request"))
        .attribute(name.required())
        .text(TextRule::Optional)
}

/// `<body>`.
pub(super) fn body() -> Shape {
    let content_type = AttributeShape::new(
        "content-type",
        AttributeKind::NonBlank,
        Text::new("内容类型", "what kind of content it is"),
    );
    Shape::new("body", Text::new("请求体", "the body of the request"))
        .attribute(content_type.default("text/plain; charset=utf-8"))
        .text(TextRule::Optional)
}

fn answer_check() -> Shape {
    Shape::new(
        "check",
        Text::new(
            "应答必须满足的CEL条件，可用status、headers、body和json",
            "a condition in CEL that the answer must meet; there are status, headers, body and json",
        ),
    )
    .text(TextRule::Required)
}

fn check_url(element: &Element, diagnostics: &mut Diagnostics) {
    let Some(url) = element.attribute("url") else {
        return;
    };
    let value = url.value.trim();
    let is_right = value.is_empty()
        || value.starts_with("${")
        || ["http://", "https://"]
            .iter()
            .any(|scheme| value.len() > scheme.len() && value.starts_with(scheme));
    if !is_right {
        diagnostics.error(
            code::BAD_URL,
            url.value_span,
            Text::new(
                "`url` 必须以 http:// 或 https:// 开头",
                "`url` must begin with http:// or https://",
            ),
            None,
        );
    }
}

fn check_body(element: &Element, diagnostics: &mut Diagnostics) {
    let Some(body) = element.elements_named("body").next() else {
        return;
    };
    let method = element
        .attribute("method")
        .map_or("GET", |method| method.value.trim());
    if matches!(method, "GET" | "HEAD") {
        diagnostics.warning(
            code::USELESS_ATTRIBUTE,
            body.name_span,
            Text::new(
                format!("{method}请求通常不带 <body>"),
                format!("a {method} request usually has no <body>"),
            ),
            Text::new(
                "请写 method=\"POST\"，或删除 <body>",
                "write method=\"POST\", or remove the <body>",
            ),
        );
    }
}

fn check_answer_check(element: &Element, diagnostics: &mut Diagnostics) {
    let text = element.text();
    // What a reference brings is known only when it runs.
    if text.trim().is_empty() || text.contains("${") {
        return;
    }
    if let Err(error) = Condition::parse(text.trim(), ANSWER_VARIABLES) {
        diagnostics.error(
            code::BAD_CONDITION,
            element.name_span,
            Text::new(
                format!("<check>：{}", error.message.zh),
                format!("<check>: {}", error.message.en),
            ),
            Text::new(
                "条件用CEL书写，例如 json.code == 0",
                "conditions are written in CEL, for example json.code == 0",
            ),
        );
    }
}
