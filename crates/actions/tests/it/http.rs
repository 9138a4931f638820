//! `http`: against a service on loopback.

use std::sync::mpsc;
use std::time::Instant;

use akkaflow_actions::ActionError;

use crate::support::{Bench, check, parse};
use crate::web::Web;

async fn outputs(bench: &Bench, names: &[&str], body: &str) -> Vec<(String, String)> {
    let mut attempt = bench.attempt();
    attempt.outputs = names.iter().map(|name| (*name).to_owned()).collect();
    parse(body).run(&attempt).await.unwrap().outputs
}

#[tokio::test]
async fn method_headers_and_body_are_sent_as_written() {
    let (bench, web) = (
        Bench::new(),
        Web::answering("202 Accepted", "", "{\"state\":\"accepted\"}"),
    );
    let body = format!(
        "<http url='{}/任务?day=2026-01-01&amp;b=1' method='POST' expect-status='200,202'>\
         <header name='X-Job'> load </header><header name='Content-Type'>application/json</header>\
         <body>{{\"名\": 1}}</body><check>json.state == 'accepted' &amp;&amp; status == 202</check></http>",
        web.url
    );
    bench.run(&body).await.unwrap();
    let asked = web.asked().remove(0);
    let lower = asked.to_ascii_lowercase();
    assert!(
        asked.starts_with("POST /%E4%BB%BB%E5%8A%A1?day=2026-01-01&b=1 HTTP/1.1\r\n"),
        "{asked}"
    );
    for header in [
        "x-job: load\r\n",
        "content-type: application/json\r\n",
        "user-agent: akkaflow/",
    ] {
        assert_eq!(lower.matches(header).count(), 1, "{header} {asked}");
    }
    assert!(!lower.contains("text/plain"), "{asked}");
    assert!(asked.ends_with("\n{\"名\": 1}"), "{asked}");
    assert!(
        bench.log().contains("answered 202, 20 bytes"),
        "{}",
        bench.log()
    );
}

#[tokio::test]
async fn a_status_that_is_not_expected_is_a_failure_with_what_the_service_said() {
    let bench = Bench::new();
    let web = Web::answering("500 Oops", "", "no\nspace   left");
    let said = bench.failure(&format!("<http url='{}'/>", web.url)).await;
    assert_eq!(
        said,
        "应答状态码500，期望200-299：no space left / answered 500, expected 200-299: no space left"
    );
    let web = Web::answering("302 Found", "location: https://elsewhere.example/\r\n", "");
    let said = bench.failure(&format!("<http url='{}'/>", web.url)).await;
    assert!(
        said.contains("it leads to https://elsewhere.example/"),
        "{said}"
    );
}

#[tokio::test]
async fn only_the_statuses_that_may_be_retried_are() {
    let bench = Bench::new();
    for (status, words, is_retried) in [
        ("503 Busy", "retry-status='429,502-504'", true),
        ("400 Bad", "retry-status='429,502-504'", false),
        ("400 Bad", "", true),
        (
            "204 Nothing",
            "expect-status='200' retry-status='500-599'",
            false,
        ),
    ] {
        let web = Web::answering(status, "", "");
        let result = bench
            .run(&format!("<http url='{}' {words}/>", web.url))
            .await;
        let is_right = match result.unwrap_err() {
            ActionError::Retryable(_) => is_retried,
            ActionError::Fatal(_) => !is_retried,
            other => panic!("{other:?}"),
        };
        assert!(is_right, "{status} {words}");
    }
}

#[tokio::test]
async fn a_check_that_is_not_met_or_cannot_be_told_is_a_failure() {
    let bench = Bench::new();
    let web = Web::answering("200 OK", "", "{\"state\": \"busy\"}");
    for (check, why) in [
        (
            "json.state == 'done'",
            "the answer does not meet `json.state == 'done'`: {\"state\": \"busy\"}",
        ),
        (
            "json.other == 1",
            "`json.other == 1` cannot be told: there is no value `other`",
        ),
        ("headers.etag != ''", "there is no value `etag`"),
    ] {
        let said = bench
            .failure(&format!(
                "<http url='{}'><check>{check}</check></http>",
                web.url
            ))
            .await;
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn what_is_named_like_a_secret_in_an_answer_is_not_shown() {
    let bench = Bench::new();
    let json = "{\"a\": [{\"access_token\": \"tok_123\"}], \"state\": \"busy\"}";
    for (status, check) in [("200 OK", "<check>false</check>"), ("500 Oh", "")] {
        let web = Web::answering(status, "", json);
        let said = bench
            .failure(&format!("<http url='{}'>{check}</http>", web.url))
            .await;
        assert!(said.contains("busy") && !said.contains("tok_123"), "{said}");
    }
}

#[tokio::test]
async fn fields_of_the_answer_are_handed_on_where_the_node_declares_them() {
    let bench = Bench::new();
    let json = "{\"id\": \"j-7\", \"rows\": 42, \"tags\": [1, 2], \"none\": null, \"other\": 1}";
    let web = Web::answering("201 Created", "", json);
    let names = ["id", "rows", "tags", "none", "http_status"];
    let mut found = outputs(&bench, &names, &format!("<http url='{}'/>", web.url)).await;
    found.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        found,
        [
            pair("http_status", "201"),
            pair("id", "j-7"),
            pair("rows", "42"),
            pair("tags", "[1,2]")
        ]
    );
    let gbk = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=GBK\r\ncontent-length: 4\r\n\r\n\xd6\xd0\xce\xc4";
    let web = Web::saying(gbk.to_vec());
    let found = outputs(
        &bench,
        &["http_body"],
        &format!("<http url='{}'/>", web.url),
    )
    .await;
    assert_eq!(found, [pair("http_body", "中文")]);
}

#[tokio::test]
async fn a_long_answer_is_not_read_to_its_end() {
    let bench = Bench::new();
    let (sender, ended) = mpsc::channel();
    // Goes on until it is hung up on.
    let web = Web::with(move |mut stream| {
        use std::io::Write as _;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let piece = [b'x'; 64 * 1024];
        while stream.write_all(&piece).is_ok() {}
        sender.send(()).unwrap();
    });
    bench
        .run(&format!("<http url='{}'/>", web.url))
        .await
        .unwrap();
    ended.recv().unwrap();
    let body = format!("<http url='{}'><check>body != ''</check></http>", web.url);
    assert!(matches!(bench.run(&body).await, Err(ActionError::Fatal(_))));
}

#[tokio::test]
async fn secrets_are_masked_wherever_the_service_repeats_them() {
    let bench = Bench::new();
    let echo = "bad token abc-123-xyz for pass-word-9 and q-secret-1, Basic dTpwYXNzLXdvcmQtOQ==";
    let web = Web::answering("403 Forbidden", "", echo);
    let host = web.url.trim_start_matches("http://");
    let body = format!(
        "<http url='http://u:pass-word-9@{host}/x?access_token=q-secret-1&amp;day=1'>\
         <header name='X-Api-Key'>abc-123-xyz</header></http>"
    );
    let said = bench.failure(&body).await + &bench.log();
    for secret in ["abc-123-xyz", "pass-word-9", "q-secret-1"] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(
        said.contains("bad token ***") && said.contains("day=1"),
        "{said}"
    );
    assert!(
        web.asked()[0].contains("authorization: Basic dTpwYXNzLXdvcmQtOQ=="),
        "{:?}",
        web.asked()
    );
}

#[tokio::test]
async fn a_service_that_is_not_there_or_says_nothing_is_a_failure_within_the_limit() {
    let bench = Bench::new();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let said = bench
        .failure(&format!("<http url='http://127.0.0.1:{port}/'/>"))
        .await;
    assert!(
        said.contains("cannot connect") && said.contains("无法连接"),
        "{said}"
    );
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let said = bench
        .failure(&format!("<http url='{url}' time-limit='1s'/>"))
        .await;
    assert!(said.contains("not done within 1 s"), "{said}");
    let web = Web::saying(Vec::new());
    let said = bench.failure(&format!("<http url='{}'/>", web.url)).await;
    assert!(said.contains("the connection broke off"), "{said}");
}

#[tokio::test]
async fn a_call_that_is_cancelled_ends_at_once_and_hangs_up() {
    let bench = Bench::new();
    let (arrived, mut has_arrived) = tokio::sync::mpsc::unbounded_channel();
    let (sender, ended) = mpsc::channel();
    let web = Web::with(move |mut stream| {
        use std::io::Read as _;
        arrived.send(()).unwrap();
        // Over once the other end is closed.
        let _ = stream.read(&mut [0; 1]);
        sender.send(()).unwrap();
    });
    let body = format!("<http url='{}'/>", web.url);
    let stop = async {
        has_arrived.recv().await.unwrap();
        bench.cancel.cancel();
        Instant::now()
    };
    let (result, since) = tokio::join!(bench.run(&body), stop);
    assert_eq!(result, Err(ActionError::Cancelled));
    assert!(since.elapsed().as_secs() < 2);
    ended.recv().unwrap();
}

#[tokio::test]
async fn what_a_reference_brings_is_checked_when_it_runs() {
    let bench = Bench::new();
    let said = bench.failure("<http url='http://a:b:c/'/>").await;
    assert!(said.contains("no address of http"), "{said}");
    let said = bench
        .failure("<http url='http://localhost/'><header name='a b'>x</header></http>")
        .await;
    assert!(said.contains("`a b` is no name of a header"), "{said}");
    let said = bench
        .failure("<http url='http://localhost/'><header name='X-Key'>a&#10;secret</header></http>")
        .await;
    assert!(
        said.contains("`X-Key`") && !said.contains("secret"),
        "{said}"
    );
    let (action, diagnostics) = check("<http url='ftp://x'/>");
    assert!(action.is_none());
    assert_eq!(diagnostics[0].code, akkaflow_model::code::BAD_URL);
}

#[tokio::test]
async fn an_answer_of_which_only_a_part_was_read_is_said_to_be_one() {
    let warning = "only the first 1 MiB were read";
    let bench = Bench::new();
    let web = Web::answering("200 OK", "", &"x".repeat((1 << 20) + 1));
    bench
        .run(&format!("<http url='{}'/>", web.url))
        .await
        .unwrap();
    assert!(bench.log().contains(warning), "{}", bench.log());
    let checked = format!("<http url='{}'><check>body != ''</check></http>", web.url);
    let said = bench.failure(&checked).await;
    assert!(said.contains("neither checked nor handed on"), "{said}");
    let whole = Bench::new();
    let web = Web::answering("200 OK", "", &"x".repeat(1 << 20));
    whole
        .run(&format!("<http url='{}'/>", web.url))
        .await
        .unwrap();
    assert!(!whole.log().contains(warning), "{}", whole.log());
}
