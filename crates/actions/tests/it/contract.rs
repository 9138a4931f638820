//! What holds for every type, walked over the registry.

use std::sync::OnceLock;

use akkaflow_actions::{ActionError, Registry, Work};

use crate::ssh::ssh;
use crate::support::{Bench, Database, check, parse, sqlite};
use crate::web::Web;

/// An example of each type; a new one without a line here fails. `None` for one whose server cannot be had.
fn example(tag: &str) -> Option<String> {
    static WEB: OnceLock<Web> = OnceLock::new();
    Some(match tag {
        "data-monitor" => {
            "<data-monitor interval='1s'><source type='NUM'>1</source></data-monitor>".to_owned()
        }
        "file-executor" => "<file-executor><command>/bin/pwd</command></file-executor>".to_owned(),
        "file-monitor" => "<file-monitor><file>/bin/sh</file></file-monitor>".to_owned(),
        "http" => {
            let web = WEB.get_or_init(|| Web::answering("200 OK", "", ""));
            format!("<http url='{}'/>", web.url)
        }
        // SQLite keeps no comments: its own tests hold it to the contract.
        "metadata" => return None,
        "python" => "<python><code>import os; print(os.getcwd())</code></python>".to_owned(),
        "script" => "<script><code>pwd</code></script>".to_owned(),
        "shell" => "<shell><command>pwd</command></shell>".to_owned(),
        "sql" => "<sql db-link='sqlite'>select 1</sql>".to_owned(),
        "ssh" => {
            ssh()?;
            "<ssh file-link='etl'><command>true</command></ssh>".to_owned()
        }
        "transfer" => {
            "<transfer><source type='DB' db-link='sqlite'>select 1 a</source><target type='FILE' path='out.txt'/></transfer>".to_owned()
        }
        "wait" => "<wait for='1s'/>".to_owned(),
        other => panic!("no example of <{other}>"),
    })
}

/// All types with an example of each, and a bench on which they can run.
fn examples(database: &Database) -> (Bench, Vec<(&'static str, String)>) {
    let mut bench = Bench::with(&[database]);
    if let Some(access) = ssh() {
        bench.file_links.insert(access.link.name.clone(), access);
    }
    let tags = Registry::builtin().tags().into_iter();
    let examples = tags.filter_map(|tag| Some((tag, example(tag)?)));
    (bench, examples.collect())
}

#[test]
fn unknown_attributes_are_reported_with_their_place() {
    for (tag, body) in examples(&sqlite()).1 {
        let body = body.replacen(&format!("<{tag}"), &format!("<{tag} nonsense='1'"), 1);
        let (_, diagnostics) = check(&body);
        assert_eq!(diagnostics.len(), 1, "{tag}");
        assert_eq!(diagnostics[0].code, "AF101", "{tag}");
        assert_eq!(&body[diagnostics[0].span.range()], "nonsense", "{tag}");
    }
}

#[test]
fn every_type_and_attribute_is_documented_in_both_languages() {
    fn walk(shape: &akkaflow_model::shape::Shape) {
        let docs = shape.attributes.iter().map(|attribute| &attribute.doc);
        for doc in docs.chain([&shape.doc]) {
            assert!(!doc.zh.is_empty() && !doc.en.is_empty(), "{}", shape.tag);
        }
        shape.children.iter().for_each(|child| walk(&child.shape));
    }
    let registry = Registry::builtin();
    for tag in registry.tags() {
        walk(registry.shape(tag).unwrap());
    }
}

#[tokio::test]
async fn each_attempt_stays_in_its_own_directory() {
    let database = sqlite();
    for (tag, body) in examples(&database).1 {
        for (bench, _) in [examples(&database), examples(&database)] {
            let attempt = bench.attempt();
            let action = parse(&body);
            if let Work::Process(spec) = action.work(&attempt).unwrap() {
                bench.fetch(&*action);
                let (code, out, err) = crate::support::run_process(&spec, bench.directory.path());
                assert_eq!(code, 0, "{tag} {err}");
                let directory = std::path::Path::new(out.trim()).canonicalize().unwrap();
                assert_eq!(directory, bench.directory.path().canonicalize().unwrap());
                continue;
            }
            match action.run(&attempt).await {
                Ok(_) | Err(ActionError::NotYet { .. }) => {}
                other => panic!("{tag}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_attempt_that_is_cancelled_before_it_starts_does_nothing() {
    let database = sqlite();
    let (bench, examples) = examples(&database);
    bench.cancel.cancel();
    for (tag, body) in examples {
        let action = parse(&body);
        let attempt = bench.attempt();
        if let Work::Task = action.work(&attempt).unwrap() {
            let error = action.run(&attempt).await.unwrap_err();
            assert_eq!(error, ActionError::Cancelled, "{tag}");
        }
    }
    assert_eq!(
        std::fs::read_dir(bench.directory.path()).unwrap().count(),
        0
    );
}
