//! What right files mean.

use akkaflow_model::cron::Cron;
use akkaflow_model::definition::{ActionNode, Edge, Keep, NodeKind, Workflow};
use akkaflow_model::read::{Reading, read_workflow, version_of};
use akkaflow_model::state::InstanceState;
use chrono::NaiveDate;

use crate::catalog::Catalog;

fn read(text: &str) -> Reading {
    read_workflow(text.as_bytes(), &Catalog)
}

#[track_caller]
fn workflow(text: &str) -> Workflow {
    let reading = read(text);
    assert_eq!(reading.diagnostics, [], "{text}");
    reading.workflow.unwrap()
}

fn action<'a>(workflow: &'a Workflow, name: &str) -> &'a ActionNode {
    match &workflow.nodes[workflow.node_index(name).unwrap()].kind {
        NodeKind::Action(action) => action,
        other => panic!("{name} is {other:?}"),
    }
}

const LOAD_DATA: &str = include_str!("load_data.xml");

#[test]
fn load_data_is_read_whole() {
    let workflow = workflow(LOAD_DATA);
    assert_eq!(
        (workflow.name.as_str(), workflow.creator.as_str()),
        ("load_data", "akkaflow")
    );
    assert_eq!(workflow.desc.as_deref(), Some("make a file and load it"));
    let coordinator = workflow.coordinator.as_ref().unwrap();
    assert_eq!(coordinator.cron, Some(Cron::parse("0 1 * * *").unwrap()));
    assert_eq!(
        coordinator.params,
        [("stadate".into(), "${time.today|yyyy-MM-dd|-1 day}".into())]
    );
    let names: Vec<(&str, &str)> = workflow
        .nodes
        .iter()
        .map(|node| (node.name.as_str(), node.type_name()))
        .collect();
    assert_eq!(
        names,
        [
            ("start", "start"),
            ("create", "sql"),
            ("script", "script"),
            ("transfer", "transfer"),
            ("end", "end")
        ]
    );
    let create = action(&workflow, "create");
    assert_eq!(
        (
            create.retry_times,
            create.interval_seconds,
            create.ok.as_ref().unwrap().to.as_str()
        ),
        (1, 10, "script")
    );
    let code = action(&workflow, "script")
        .body
        .elements()
        .next()
        .unwrap()
        .text();
    assert!(
        code.starts_with("\n      rm -f /tmp/load_data.txt\n") && code.contains("printf \"$i\\t")
    );
    assert_eq!(workflow.used_params, ["stadate"]);
    assert_eq!(workflow.version, version_of(LOAD_DATA));
    assert_eq!(workflow.version.0.len(), 16);
    assert_eq!(workflow.not_runnable, None);
}

#[test]
fn what_a_file_leaves_out_has_akkaflows_defaults() {
    let text =
        "<work-flow name=' a '><coordinator dates='2090-01-01'><param-list/></coordinator><start name='s' to='x'/>
        <action name='x'><script><code>ls</code></script><ok to='e'/></action>
        <end name='e'/></work-flow>";
    let workflow = workflow(text);
    assert_eq!(workflow.name, "a");
    assert_eq!(workflow.creator, "Unknown");
    assert_eq!(
        (workflow.desc.clone(), workflow.create_time.clone()),
        (None, None)
    );
    assert_eq!(workflow.mail_level, [InstanceState::Failed]);
    assert_eq!(workflow.mail_receivers, [""; 0]);
    assert_eq!(workflow.instance_limit, 1);
    assert_eq!(workflow.dir, "/tmp");
    let coordinator = workflow.coordinator.clone().unwrap();
    let midnight = |year| {
        NaiveDate::from_ymd_opt(year, 12, 29)
            .unwrap()
            .and_hms_opt(0, 0, 0)
            .unwrap()
    };
    assert!(coordinator.is_enabled && coordinator.cron.is_none());
    assert_eq!(
        (coordinator.start_time, coordinator.end_time),
        (midnight(1990), midnight(2090))
    );
    assert!(coordinator.depends.is_empty() && coordinator.params.is_empty());
    let x = action(&workflow, "x");
    assert_eq!(
        (x.host.clone(), x.retry_times, x.interval_seconds),
        (None, 0, 0)
    );
    assert_eq!(
        (x.timeout_seconds, x.is_ignore, x.error.clone()),
        (None, false, None)
    );
    assert_eq!(workflow.nodes[1].desc, None);
}

#[test]
fn a_deadline_is_of_use_to_instances_that_people_start() {
    let reading = |coordinator: &str| {
        read(&format!(
            "<work-flow name='w' instance-limit='1'>{coordinator}<start name='s' to='e'/><end name='e'/></work-flow>"
        ))
    };
    let codes = |coordinator: &str| -> Vec<&str> {
        let found = reading(coordinator).diagnostics;
        found.iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes("<coordinator deadline='2h'/>"), [""; 0]);
    assert_eq!(codes("<coordinator/>"), ["AF426"]);
    let empty = "<coordinator deadline='2h'><depend-list/></coordinator>";
    assert_eq!(codes(empty), ["AF426"]);
}

#[test]
fn what_is_kept_is_a_count_or_left_to_the_configuration() {
    let of = |attributes: &str| {
        let text = format!(
            "<work-flow name='w' {attributes}><start name='s' to='e'/><end name='e'/></work-flow>"
        );
        let reading = read(&text);
        reading
            .workflow
            .map(|workflow| workflow.keep)
            .ok_or(reading.diagnostics.len())
    };
    assert_eq!(of(""), Ok(Keep::default()));
    let all = Keep {
        days: Some(0),
        instances: None,
    };
    assert_eq!(of("keep-days='0'"), Ok(all));
    assert_eq!(of("keep-days='-1'"), Err(1));
    assert_eq!(of("keep-days='soon'"), Err(1));
    assert_eq!(of("keep-instances='0'"), Err(1));
}

#[test]
fn every_attribute_is_read() {
    let text = "<workflow name='a' creator='c' desc='d' create-time='2026-01-02 03:04:05'
          mail-level='w_successed, 失败 ,W_KILLED,W_FAILED' mail-receivers=' a@x , b@y,' instance-limit='5' dir='/etl/日'
          keep-days='7' keep-instances='3'>
        <coordinator is-enabled='FALSE' start-time='2026-01-01 00:00:00' end-time='2027-01-01 00:00:00'>
          <depend-list><workflow name=' up '/><workflow name='other'/></depend-list>
          <param-list><param name='p' value='1'/></param-list><param-list><param name='q' value=''/></param-list>
        </coordinator>
        <start name='s' to=' f '> </start>
        <fork name='f' desc='both'><path to='x'/><path to='y'/></fork>
        <action name='x' host='h1' retry-times='2' interval='3' timeout='4' is-ignore='true' desc='dx'>
          <ok to='j'/><error to='k'/><sql db-link='${param:p}'>select 1</sql></action>
        <action name='y' host='-1' timeout='-1'><sql db-link='l'>select '${param:q}'</sql><ok to='j'/></action>
        <join name='j' to='e'/>
        <kill name='k'><message> why ${time.today} </message></kill>
        <end name='e'/></workflow>";
    let workflow = workflow(text);
    let levels = [
        InstanceState::Succeeded,
        InstanceState::Failed,
        InstanceState::Killed,
    ];
    assert_eq!(workflow.mail_level, levels);
    assert_eq!(workflow.mail_receivers, ["a@x", "b@y"]);
    assert_eq!(
        (workflow.instance_limit, workflow.dir.as_str()),
        (5, "/etl/日")
    );
    assert_eq!(
        (workflow.keep.days, workflow.keep.instances),
        (Some(7), Some(3))
    );
    assert_eq!(workflow.create_time.as_deref(), Some("2026-01-02 03:04:05"));
    let coordinator = workflow.coordinator.clone().unwrap();
    assert!(!coordinator.is_enabled && coordinator.cron.is_none());
    assert_eq!(coordinator.depends, ["up", "other"]);
    assert_eq!(
        coordinator.params,
        [("p".into(), "1".into()), ("q".into(), String::new())]
    );
    let x = action(&workflow, "x");
    assert_eq!((x.tag.as_str(), x.host.as_deref()), ("sql", Some("h1")));
    assert_eq!(
        (x.retry_times, x.interval_seconds, x.timeout_seconds),
        (2, 3, Some(4))
    );
    assert_eq!(
        (x.is_ignore, x.error.as_ref()),
        (true, Some(&Edge::from("k")))
    );
    assert_eq!(action(&workflow, "y").timeout_seconds, None);
    let kind = |name: &str| {
        workflow.nodes[workflow.node_index(name).unwrap()]
            .kind
            .clone()
    };
    assert_eq!(kind("s"), NodeKind::Start { to: "f".into() });
    assert_eq!(
        kind("f"),
        NodeKind::Fork {
            paths: vec!["x".into(), "y".into()]
        }
    );
    assert_eq!(
        kind("k"),
        NodeKind::Kill {
            message: "why ${time.today}".into()
        }
    );
    assert_eq!(workflow.used_params, ["p", "q"]);
}

#[test]
fn a_gbk_file_is_read_and_its_stored_text_means_the_same() {
    let text = LOAD_DATA.replace("make a file and load it", "造文件并导入");
    let text = format!("<?xml version=\"1.0\" encoding=\"GBK\"?>\n{text}");
    let bytes: Vec<u8> = encode_gbk(&text);
    let first = read_workflow(&bytes, &Catalog);
    assert_eq!(first.diagnostics, []);
    let first = first.workflow.unwrap();
    assert_eq!(first.desc.as_deref(), Some("造文件并导入"));
    let again = read(&first.source);
    assert_eq!(again.workflow.unwrap(), first);
}

fn encode_gbk(text: &str) -> Vec<u8> {
    let (bytes, _, had_errors) = encoding_rs::GBK.encode(text);
    assert!(!had_errors);
    bytes.into_owned()
}

#[test]
fn a_type_of_a_later_version_is_kept_with_a_reason() {
    let text = |ignored: &str| {
        format!(
            "<work-flow name='a'><start name='s' to='x'/>
            <action name='x' is-ignore='{ignored}'><email>hi</email><ok to='e'/></action><end name='e'/></work-flow>"
        )
    };
    let reading = read(&text("false"));
    let codes: Vec<&str> = reading
        .diagnostics
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, ["AF209"]);
    let reason = reading.workflow.unwrap().not_runnable.unwrap();
    assert_eq!(reason.en, "this version does not run email yet");
    assert_eq!(read(&text("true")).workflow.unwrap().not_runnable, None);
}

#[test]
fn the_name_is_known_even_if_the_rest_is_wrong() {
    let reading = read("<work-flow name='a'><oops/></work-flow>");
    assert!(reading.workflow.is_none());
    assert_eq!(reading.name.as_deref(), Some("a"));
    assert_eq!(read("<work-flow").name, None);
}

#[test]
fn a_thousand_parallel_nodes_and_a_chain_of_two_thousand_are_read() {
    let node = |name: usize, to: &str| {
        format!("<action name='n{name}'><script><code>:</code></script><ok to='{to}'/></action>")
    };
    let paths: String = (0..1_000).map(|n| format!("<path to='n{n}'/>")).collect();
    let nodes: String = (0..1_000).map(|n| node(n, "j")).collect();
    let wide = format!(
        "<work-flow name='w'><start name='s' to='f'/><fork name='f'>{paths}</fork>{nodes}<join name='j' to='e'/><end name='e'/></work-flow>"
    );
    assert_eq!(workflow(&wide).nodes.len(), 1_004);
    let nodes: String = (0..2_000)
        .map(|n| node(n, &format!("n{}", n + 1)))
        .collect();
    let long = format!(
        "<work-flow name='w'><start name='s' to='n0'/>{nodes}<end name='n2000'/></work-flow>"
    );
    assert_eq!(workflow(&long).nodes.len(), 2_002);
}
