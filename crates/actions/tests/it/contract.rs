//! What holds for every type, walked over the registry.

use akkaflow_actions::{Registry, Work};

use crate::support::{Bench, check, parse, sqlite};

/// An example of each type; a new one without a line here fails.
fn example(tag: &str) -> &'static str {
    match tag {
        "script" => "<script><code>pwd</code></script>",
        "shell" => "<shell><command>pwd</command></shell>",
        "sql" => "<sql db-link='sqlite'>select 1</sql>",
        "transfer" => {
            "<transfer><source type='DB' db-link='sqlite'>select 1 a</source><target type='FILE' path='out.txt'/></transfer>"
        }
        "wait" => "<wait for='1s'/>",
        other => panic!("no example of <{other}>"),
    }
}

#[test]
fn unknown_attributes_are_reported_with_their_place() {
    for tag in Registry::builtin().tags() {
        let body = example(tag).replacen(&format!("<{tag}"), &format!("<{tag} nonsense='1'"), 1);
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
    for tag in Registry::builtin().tags() {
        let database = sqlite();
        let (one, two) = (Bench::with(&[&database]), Bench::with(&[&database]));
        for bench in [&one, &two] {
            let attempt = bench.attempt();
            if let Work::Process(spec) = parse(example(tag)).work(&attempt).unwrap() {
                let (code, out, _) = crate::support::run_process(&spec, bench.directory.path());
                assert_eq!(code, 0);
                let directory = std::path::Path::new(out.trim()).canonicalize().unwrap();
                assert_eq!(directory, bench.directory.path().canonicalize().unwrap());
            } else {
                bench.run(example(tag)).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn an_attempt_that_is_cancelled_before_it_starts_does_nothing() {
    let database = sqlite();
    let bench = Bench::with(&[&database]);
    bench.cancel.cancel();
    for tag in Registry::builtin().tags() {
        let action = parse(example(tag));
        let attempt = bench.attempt();
        if let Work::Task = action.work(&attempt).unwrap() {
            let error = action.run(&attempt).await.unwrap_err();
            assert_eq!(error, akkaflow_actions::ActionError::Cancelled, "{tag}");
        }
    }
    assert_eq!(
        std::fs::read_dir(bench.directory.path()).unwrap().count(),
        0
    );
}
