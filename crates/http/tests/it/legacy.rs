//! Every row of akkaflow's interface, word for word.

use akkaflow_http::Options;
use akkaflow_model::command::{Answer, Command, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::record::Record;
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::{Lang, Text};

use crate::support::{FakeMaster, Server, XML, id, instance_row, led_by, put, workflow_records};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A server whose master says `result` and whose store holds the workflow and an instance.
async fn server(result: Result<Answer, Rejection>) -> (Server, FakeMaster) {
    let master = FakeMaster::saying(result);
    let store = led_by(&master.serve().await).await;
    let mut records = workflow_records(XML);
    records.push(Record::instance(instance_row()));
    put(&store, 1, records).await;
    (Server::start(&store).await, master)
}

#[track_caller]
fn is(got: &crate::support::Got, expected: &str) {
    assert_eq!(got.body, expected);
    assert_eq!(got.status, 200);
    assert_eq!(got.header("content-type"), "text/plain; charset=UTF-8");
}

#[tokio::test]
async fn workflows_answer_in_akkaflow_s_words() {
    let (server, master) = server(Ok(Answer::Done)).await;
    let name = encoded("日报");
    let got = server
        .get(&format!("/akkaflow/workflow/{name}?action=del"))
        .await;
    is(
        &got,
        r#"{"result":"success","msg":"成功删除工作流日报","data":null}"#,
    );
    let got = server
        .get(&format!("/akkaflow/workflow/{name}?action=reset"))
        .await;
    is(
        &got,
        r#"{"result":"success","msg":"成功重置工作流[日报]的调度器状态","data":null}"#,
    );
    let got = server
        .get(&format!("/akkaflow/workflow/{name}?action=get"))
        .await;
    is(
        &got,
        r#"{"result":"fail","msg":"暂时还没get方法","data":null}"#,
    );
    let got = server.get("/akkaflow/workflows?action=reset").await;
    is(
        &got,
        r#"{"result":"success","msg":"成功重置所有工作流状态","data":null}"#,
    );
    assert_eq!(master.asked().len(), 3);
}

#[tokio::test]
async fn starts_answer_with_the_instance() {
    let (server, master) = server(Ok(Answer::Instance { id: id() })).await;
    let id = id();
    let got = server
        .get("/akkaflow/workflow/w?action=run&a=1&b=%E4%BD%A0&a=2")
        .await;
    is(
        &got,
        &format!(r#"{{"result":"success","msg":"已生成工作流实例,id:{id}","data":"{id}"}}"#),
    );
    for query in ["action=trigger&ignore_node=", "action=trigger"] {
        let got = server.get(&format!("/akkaflow/workflow/w?{query}")).await;
        is(
            &got,
            &format!(r#"{{"result":"success","msg":"成功触发工作流[w: {id}]执行","data":"{id}"}}"#),
        );
    }
    server
        .post("/akkaflow/workflow/w?action=trigger&ignore_node=x,%20y", "")
        .await;
    let asked = master.asked();
    let Command::Run { params, .. } = &asked[0] else {
        panic!("{asked:?}")
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(params, &[pair("a", "1"), pair("b", "你"), pair("a", "2")]);
    let Command::Trigger { ignore_nodes, .. } = &asked[3] else {
        panic!("{asked:?}")
    };
    assert_eq!(ignore_nodes, &["x", "y"]);
}

#[tokio::test]
async fn a_run_with_a_misspelt_parameter_keeps_its_line_and_warns_in_a_header() {
    let (server, _) = server(Ok(Answer::Instance { id: id() })).await;
    let path = format!("/akkaflow/workflow/{}?action=run", encoded("日报"));
    let got = server.get(&format!("{path}&stadat=1")).await;
    let id = id();
    is(
        &got,
        &format!(r#"{{"result":"success","msg":"已生成工作流实例,id:{id}","data":"{id}"}}"#),
    );
    let said = got.header("akkaflow-warnings");
    assert!(
        said.contains("stadat") && said.contains(&encoded("是否想写")),
        "{said}"
    );
    let got = server.get(&format!("{path}&stadate=1")).await;
    assert!(!got.headers.contains_key("akkaflow-warnings"));
}

#[tokio::test]
async fn a_blood_trigger_names_what_follows() {
    let chain = Answer::Chain {
        id: id(),
        workflows: vec!["a".to_owned(), "b".to_owned()],
    };
    let (server, _) = server(Ok(chain)).await;
    let id = id();
    let got = server
        .get("/akkaflow/workflow/w?action=trigger-blood")
        .await;
    is(
        &got,
        &format!(
            r#"{{"result":"success","msg":"成功触发工作流[w: {id}]执行,后续依次关联的工作流: a,b","data":"{id}"}}"#
        ),
    );
}

#[tokio::test]
async fn refusals_carry_the_master_s_words() {
    let words = "该工作流被其他工作流所依赖: a,b";
    let rejection = Rejection::new(ErrorCode::Conflict, Text::new(words, "others depend on it"));
    let (server, _) = server(Err(rejection)).await;
    let got = server.get("/akkaflow/workflow/w?action=del").await;
    is(
        &got,
        &format!(r#"{{"result":"fail","msg":"{words}","data":null}}"#),
    );
    assert_eq!(got.header("akkaflow-error-code"), "conflict");
}

#[tokio::test]
async fn definitions_are_added_and_updated() {
    for (created, words) in [(true, "成功添加工作流日报"), (false, "成功更新工作流日报")]
    {
        let put = Answer::Put {
            name: "日报".to_owned(),
            version: "0".to_owned(),
            created,
            findings: Vec::new(),
        };
        let (server, master) = server(Ok(put)).await;
        let body = format!("xml={}", encoded(XML));
        let path = "/akkaflow/workflow?action=add&path=/x/a.xml";
        let got = server.send("POST", path, &[FORM], &body).await;
        is(
            &got,
            &format!(r#"{{"result":"success","msg":"{words}","data":"日报"}}"#),
        );
        let expected = Command::PutWorkflow {
            xml: XML.as_bytes().to_vec(),
            path: Some("/x/a.xml".to_owned()),
        };
        assert_eq!(master.asked(), [expected]);
    }
}

#[tokio::test]
async fn a_refused_definition_is_said_to_be_wrong() {
    let rejection = Rejection::new(ErrorCode::Invalid, Text::verbatim("节点重名"));
    let (server, _) = server(Err(rejection)).await;
    let got = server
        .send(
            "POST",
            "/akkaflow/workflow?action=add&path=x",
            &[FORM],
            "xml=%3Ca/%3E",
        )
        .await;
    is(
        &got,
        r#"{"result":"fail","msg":"出错：节点重名","data":null}"#,
    );
    let got = server
        .send("POST", "/akkaflow/workflow?action=add&path=x", &[FORM], "")
        .await;
    assert_eq!(got.json()["result"], "fail");
}

#[tokio::test]
async fn a_check_says_what_is_missing() {
    let (server, master) = server(Ok(Answer::Done)).await;
    let check = async |xml: &str| {
        let body = format!("xml={}", encoded(xml));
        let path = "/akkaflow/workflow?action=check";
        server.send("POST", path, &[FORM], &body).await
    };
    let got = check(XML).await;
    is(
        &got,
        r#"{"result":"fail","msg":"不存在前置工作流: 抽取","data":null}"#,
    );
    let alone = XML.replace(r#"<workflow name="抽取"/>"#, "");
    let got = check(&alone).await;
    is(
        &got,
        r#"{"result":"success","msg":"xml解析成功，工作流已存在","data":null}"#,
    );
    let other = alone.replace(r#"name="日报""#, r#"name="月报""#);
    let got = check(&other).await;
    is(
        &got,
        r#"{"result":"success","msg":"xml解析成功","data":null}"#,
    );
    let circle = XML
        .replace(r#"name="日报""#, r#"name="抽取""#)
        .replace(r#"<workflow name="抽取"/>"#, r#"<workflow name="日报"/>"#);
    let got = check(&circle).await;
    is(
        &got,
        r#"{"result":"fail","msg":"失败，工作流依赖中存在有向环, 分别为：抽取,日报","data":null}"#,
    );
    let got = check("<work-flow/>").await;
    let msg = got.json()["msg"].as_str().unwrap().to_owned();
    assert!(msg.starts_with("出错信息: "), "{msg}");
    assert!(msg.contains(":1:"), "{msg}");
    assert!(master.asked().is_empty());
}

#[tokio::test]
async fn instances_answer_in_akkaflow_s_words() {
    let (server, master) = server(Ok(Answer::Instance { id: id() })).await;
    let id = id();
    for query in ["action=rerun&recover=true", "action=rerun"] {
        let got = server
            .get(&format!("/akkaflow/workflow/instance/{id}?{query}"))
            .await;
        is(
            &got,
            &format!(
                r#"{{"result":"success","msg":"工作流实例[{id}]放在等待队列，准备开始重跑","data":"{id}"}}"#
            ),
        );
    }
    let kept = |from_failed| Command::Rerun {
        id,
        from_failed,
        same_version: false,
        nodes: Vec::new(),
        user: String::new(),
    };
    assert_eq!(master.asked(), [kept(true), kept(false)]);
}

#[tokio::test]
async fn a_kill_answers_with_the_state() {
    let (server, _) = server(Ok(Answer::Done)).await;
    let id = id();
    let short = id.short();
    let got = server
        .get(&format!("/akkaflow/workflow/instance/{short}?action=kill"))
        .await;
    assert_eq!(got.json()["msg"], format!("工作流[{id}]已被杀死"));
    assert_eq!(got.json()["data"]["status"], 5);
    let got = server
        .get("/akkaflow/workflow/instance/ffffffffffff?action=kill")
        .await;
    is(
        &got,
        r#"{"result":"fail","msg":"[工作流实例：ffffffffffff]不存在，不能kill掉","data":null}"#,
    );
    let got = server
        .get(&format!("/akkaflow/workflow/instance/{id}?action=del"))
        .await;
    is(
        &got,
        &format!(r#"{{"result":"success","msg":"成功删除工作流{id}","data":null}}"#),
    );
    let got = server
        .get("/akkaflow/workflow/instance/nonsense?action=del")
        .await;
    is(&got, r#"{"result":"fail","msg":"无效实例id","data":null}"#);
}

#[tokio::test]
async fn unknown_actions_are_said_to_be_wrong_everywhere() {
    let (server, _) = server(Ok(Answer::Done)).await;
    for path in [
        "/akkaflow/workflow/w?action=fly",
        "/akkaflow/workflow/w",
        "/akkaflow/workflows?action=fly",
        "/akkaflow/workflow?action=fly",
        "/akkaflow/workflow/instance/1?action=fly",
        "/akkaflow/cluster?action=fly",
    ] {
        let got = server.get(path).await;
        is(
            &got,
            r#"{"result":"fail","msg":"action参数有误","data":null}"#,
        );
    }
}

#[tokio::test]
async fn the_cluster_is_a_flat_tree_and_cannot_be_stopped() {
    let (server, _) = server(Ok(Answer::Done)).await;
    let got = server.get("/akkaflow/cluster?action=get").await.json();
    assert_eq!(got["msg"], "成功获取集群信息");
    let names: Vec<_> = got["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.contains(&"master".to_owned()), "{names:?}");
    assert!(names.contains(&"worker".to_owned()), "{names:?}");
    let got = server.get("/akkaflow/cluster?action=shutdown").await.json();
    assert_eq!(got["result"], "fail");
}

#[tokio::test]
async fn a_folder_is_no_thing_to_delete() {
    let (server, _) = server(Ok(Answer::Done)).await;
    let got = server
        .get("/akkaflow/workflow?action=del-dir&id=3")
        .await
        .json();
    let msg = got["msg"].as_str().unwrap();
    assert!(msg.starts_with("删除失败，该目录下不能有工作流"), "{msg}");
}

#[tokio::test]
async fn waiting_instances_and_what_is_left_today_are_listed() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let store = led_by(&master.serve().await).await;
    let minutely = XML
        .replace("0 1 * * *", "* * * * *")
        .replace(r#"<workflow name="抽取"/>"#, "");
    let mut records = workflow_records(&minutely);
    let mut waiting = instance_row();
    waiting.state = InstanceState::Ready;
    records.push(Record::instance(waiting));
    put(&store, 1, records).await;
    let server = Server::start(&store).await;
    let got = server
        .get("/akkaflow/workflow/watting_instance/list")
        .await
        .json();
    assert_eq!(got["data"][0]["wfid"], id().to_string());
    assert_eq!(got["data"][0]["name"], "日报");
    let got = server
        .get("/akkaflow/workflows?action=today-trigger-left")
        .await
        .json();
    assert_eq!(got["msg"], "成功获取数据");
    assert!(got["data"].is_object(), "{got}");
}

#[tokio::test]
async fn answers_are_english_where_that_is_configured_or_asked_for() {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let store = led_by(&master.serve().await).await;
    let options = Options {
        listen: "127.0.0.1:0".to_owned(),
        legacy_lang: Lang::En,
        ..Options::default()
    };
    let server = Server::start_with(&store, options).await;
    let path = "/akkaflow/workflow/w?action=del";
    assert_eq!(server.get(path).await.json()["msg"], "deleted workflow w");
    let got = server
        .send("GET", path, &[("akkaflow-lang", "zh")], "")
        .await;
    assert_eq!(got.json()["msg"], "成功删除工作流w");
}
