use akkaflow_model::element::{Attribute, Child, Element, Span};
use akkaflow_model::id::InstanceId;
use akkaflow_model::mail::{AffectedWorkflow, MailKey};
use akkaflow_model::message::Message;
use akkaflow_model::record::TriggerKind;
use akkaflow_model::text::Text;

use super::*;

const NASTY: &str = "<script>alert('x')</script> & \"q\"";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1000)
}

fn mail(kind: MailKind, facts: MailFacts) -> MailRow {
    let instance = InstanceId::from_parts(at(0), 7);
    let key = match kind {
        MailKind::Ended => MailKey::ended(instance, 2),
        _ => MailKey {
            instance,
            run: 1,
            kind,
            node: "导入".into(),
            attempt: 3,
        },
    };
    MailRow {
        key,
        workflow: "日报".to_owned(),
        born_at: at(100),
        receivers: vec!["a@x".to_owned(), "b@x".to_owned()],
        facts,
    }
}

fn failed(words: &str) -> Message {
    Message::said(Text::verbatim(words))
}

fn ended(words: &str) -> MailRow {
    let node = |name: &str, state, message| NodeFacts {
        name: name.into(),
        type_name: "script".into(),
        state,
        started_at: Some(at(10)),
        ended_at: Some(at(75)),
        message,
        desc: None,
    };
    let facts = EndFacts {
        state: InstanceState::Failed,
        message: Some(failed(words)),
        trigger: TriggerKind::Cron,
        fire_time: at(0),
        started_at: Some(at(1)),
        ended_at: at(3_700),
        dir: "/报表".to_owned(),
        params: vec![("date".to_owned(), words.to_owned())],
        levels: vec![InstanceState::Failed, InstanceState::Killed],
        desc: Some(words.to_owned()),
        nodes: vec![
            node("a", NodeState::Succeeded, None),
            node("b", NodeState::Failed, Some(failed(words))),
        ],
        more_nodes: 3,
        affected: vec![AffectedWorkflow {
            name: "月报".to_owned(),
            creator: "王".to_owned(),
            receivers: vec!["b@x".to_owned()],
            dir: "/报表".to_owned(),
            desc: None,
        }],
        more_affected: 0,
    };
    mail(MailKind::Ended, MailFacts::Ended(Box::new(facts)))
}

fn line(level: Level, text: &str) -> LogLine {
    LogLine {
        time: at(10).into(),
        level,
        node: Some("b".to_owned()),
        attempt: Some(1),
        text: text.to_owned(),
    }
}

fn written(mail: &MailRow, lang: Lang) -> Letter {
    let mut log = LogExcerpt::default();
    log.push(line(Level::Info, "began"));
    log.push(line(Level::Error, NASTY));
    letter(mail, Some(&log), lang, chrono_tz::Asia::Shanghai)
}

#[test]
fn the_mail_about_an_end_says_all_that_akkaflows_did() {
    let letter = written(&ended("磁盘满"), Lang::Zh);
    assert_eq!(letter.subject, "【Akkaflow】任务执行失败: 日报");
    let expected = "\
任务执行失败: 日报

== 实例执行基本信息
实例ID: 01a0c450-6c00-7000-8000-000000000007
工作流: 日报
运行状态: 失败
原因: 磁盘满
第几次运行: 2
业务时间: 2026-09-21 22:13:20 Asia/Shanghai
开始时间: 2026-09-21 22:13:21 Asia/Shanghai
运行时长: 1小时1分39秒
目录: /报表
参数: date:磁盘满
告警级别: 失败, 杀死
收件人员: a@x, b@x
描述: 磁盘满

== 节点执行信息
节点名称 | 节点类型 | 节点状态 | 开始时间 | 运行时长 | 执行信息 | 描述
a | script | 成功 | 2026-09-21 22:13:30 | 1分5秒 |  |
b | script | 失败 | 2026-09-21 22:13:30 | 1分5秒 | 磁盘满 |
另有3个节点未列出

== 后置触发受影响的工作流列表
工作流名称 | 创建者 | 收件人 | 目录 | 描述
月报 | 王 | b@x | /报表 |

== 执行日志
[INFO] [2026-09-21 22:13:30.000] [b] began
[ERROR] [2026-09-21 22:13:30.000] [b] <script>alert('x')</script> & \"q\"
";
    assert_eq!(letter.text, expected);
    for words in [
        "实例执行基本信息",
        "后置触发受影响的工作流列表",
        "月报",
        "磁盘满",
    ] {
        assert!(letter.html.contains(words), "{words}");
    }
}

#[test]
fn the_mails_about_a_failing_node_and_its_recovery_say_how_often() {
    let facts = |pause_ms| {
        MailFacts::Retry(Box::new(RetryFacts {
            desc: Some("loads orders".to_owned()),
            type_name: "sql".into(),
            message: failed("no such table"),
            retry_times: 3,
            failures: 2,
            pause_ms,
        }))
    };
    let failing = written(&mail(MailKind::Failing, facts(Some(90_000))), Lang::En);
    assert_eq!(failing.subject, "【Akkaflow】sql node fails: 日报/导入");
    let expected = "\
sql node fails: 日报/导入
instance (workflow): 01a0c450-6c00-7000-8000-000000000007 (日报)
its description: loads orders
node: 导入
message: no such table
retry-times: 3
failed retries: 1
next try after: 1 min 30 s
happened: 2026-09-21 22:15:00 Asia/Shanghai
receivers: a@x, b@x
";
    assert_eq!(failing.text, expected);
    let recovered = written(&mail(MailKind::Recovered, facts(None)), Lang::Zh);
    assert_eq!(recovered.subject, "【Akkaflow】sql节点执行成功: 日报/导入");
    assert!(!recovered.text.contains("重试间隔"));
}

fn notice(content: Vec<Element>) -> Letter {
    written(
        &mail(MailKind::Notice, MailFacts::Notice { content }),
        Lang::Zh,
    )
}

fn element(name: &str, attributes: &[(&str, &str)], text: &str) -> Element {
    let mut element = Element::new(name);
    element.attributes = attributes
        .iter()
        .map(|&(name, value)| Attribute {
            name: name.into(),
            value: value.into(),
            name_span: Span::default(),
            value_span: Span::default(),
        })
        .collect();
    element.children.push(Child::Text {
        text: text.into(),
        span: Span::default(),
    });
    element
}

#[test]
fn a_notice_keeps_its_html_and_nothing_that_runs() {
    let letter = notice(vec![
        element("h3", &[("style", "color:red")], NASTY),
        element("br", &[], ""),
        element("script", &[], "alert(1)"),
        element(
            "a",
            &[("onclick", "alert(2)"), ("href", "java\tscript:alert(3)")],
            "here",
        ),
        element("a", &[("href", "https://example.com/?a=\"&b")], "there"),
    ]);
    assert_eq!(letter.subject, "【Akkaflow】通知: 日报");
    let html = &letter.html;
    assert!(html.contains("<h3 style=\"color:red\">&lt;script&gt;alert('x')&lt;/script&gt; &amp; &quot;q&quot;</h3><br>"), "{html}");
    assert!(html.contains("<a>here</a>"), "{html}");
    assert!(
        html.contains("<a href=\"https://example.com/?a=&quot;&amp;b\">there</a>"),
        "{html}"
    );
    assert!(!html.contains("<script") && !html.contains("alert(1)"));
    assert!(letter.text.contains("here") && !letter.text.contains("alert(1)"));
}

#[test]
fn whatever_stands_in_facts_is_escaped_and_a_subject_is_one_line() {
    let mut nasty = ended(NASTY);
    nasty.workflow = format!("{NASTY}\r\nBcc: x@y{}", "长".repeat(500));
    for lang in [Lang::Zh, Lang::En] {
        let letter = written(&nasty, lang);
        assert!(!letter.html.contains("<script"), "{}", letter.html);
        assert!(!letter.subject.contains(['\r', '\n']));
        assert!(letter.subject.chars().count() <= SUBJECT_LENGTH + 3);
    }
}

#[test]
fn of_a_long_log_the_middle_is_left_out() {
    let mut log = LogExcerpt::default();
    for number in 0..1_000 {
        log.push(line(Level::Info, &format!("line {number}.")));
    }
    let text = letter(&ended("x"), Some(&log), Lang::En, chrono_tz::UTC).text;
    for (words, is_there) in [
        ("line 99.", true),
        ("line 100.", false),
        ("line 799.", false),
        ("line 800.", true),
        ("line 999.", true),
    ] {
        assert_eq!(text.contains(words), is_there, "{words}");
    }
    assert!(text.contains("... 700 lines left out ..."));
}

#[test]
fn parameters_that_are_called_secret_are_hidden_wherever_they_stand() {
    let mut mail = ended("login with s3cr3t-word failed");
    if let MailFacts::Ended(facts) = &mut mail.facts {
        facts.params = vec![
            ("db_password".to_owned(), "s3cr3t-word".to_owned()),
            ("token".to_owned(), "x".to_owned()),
            ("day".to_owned(), "2026-11-30".to_owned()),
        ];
    }
    let mut log = LogExcerpt::default();
    log.push(line(Level::Error, "tried s3cr3t-word"));
    let letter = letter(&mail, Some(&log), Lang::En, chrono_tz::UTC);
    for words in [&letter.html, &letter.text] {
        assert!(!words.contains("s3cr3t-word"), "{words}");
        assert!(words.contains("tried ***") && words.contains("day:2026-11-30"));
        assert!(words.contains("db_password:***, token:***"));
    }
}

#[test]
fn a_name_that_looks_like_an_encoded_word_is_no_encoded_word() {
    let mut mail = ended("x");
    mail.workflow = "=?utf-8?q?a=0D=0ABcc:_x=40y?=".to_owned();
    assert!(!subject(&mail, Lang::En).contains("=?"));
}

#[test]
fn plain_text_of_html_keeps_its_lines_lists_and_links() {
    let mut list = element("ul", &[], "");
    list.children = vec![
        Child::Element(element("li", &[], "one")),
        Child::Element(element("li", &[], "two \u{1b}[31m")),
    ];
    let mut paragraph = element("p", &[], "see ");
    paragraph.children.push(Child::Element(element(
        "a",
        &[("href", "https://x/")],
        "here",
    )));
    let text = notice(vec![element("span", &[], "before"), list, paragraph]).text;
    assert!(text.contains("before\n- one\n- two"), "{text:?}");
    assert!(text.contains("see here (https://x/)"), "{text:?}");
}
