//! What is wrong with a body is said with its place, all at once.

use akkaflow_actions::Registry;
use akkaflow_model::diagnostic::{Diagnostics, Severity};
use akkaflow_model::read::ActionCatalog;
use akkaflow_model::xml;

use crate::support::check;

/// Code and offending text of each finding.
pub(crate) fn findings(body: &str) -> Vec<(&'static str, String)> {
    let (action, diagnostics) = check(body);
    let has_errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert!(
        !(has_errors && action.is_some()) || diagnostics.iter().any(|d| d.code < "AF300"),
        "{body}"
    );
    diagnostics
        .iter()
        .map(|finding| (finding.code, body[finding.span.range()].to_owned()))
        .collect()
}

fn found(code: &'static str, text: &str) -> (&'static str, String) {
    (code, text.to_owned())
}

#[test]
fn right_bodies_have_no_findings() {
    for body in [
        "<script><code>x</code><attach-list><file>/a</file></attach-list><param-line>1 2</param-line></script>",
        "<shell><command>true</command></shell>",
        "<sql db-link='a'>select 1; select 2</sql>",
        "<transfer><script>x</script></transfer>",
        "<transfer><script><code>x</code></script></transfer>",
        "<transfer><source type='db' db-link='a'>t</source><target type='FILE' path='/x' task-num='2' is-pre-del='true'><pre>a</pre><after>b</after></target></transfer>",
        "<transfer><source type='FILE' delimited='\\u0001' file-link='local'>/x</source><target type='DB' db-link='a' table='t' is-pre-truncate='true' task-num='3'/></transfer>",
    ] {
        assert_eq!(findings(body), [], "{body}");
    }
}

#[test]
fn a_transfer_is_a_script_or_a_source_and_a_target() {
    for body in [
        "<transfer/>",
        "<transfer><source type='FILE'>/x</source></transfer>",
        "<transfer><script>x</script><source type='FILE'>/x</source></transfer>",
    ] {
        assert_eq!(findings(body), [found("AF501", "transfer")], "{body}");
    }
}

#[test]
fn every_mistake_of_a_transfer_is_named_at_its_place() {
    assert_eq!(
        findings(
            "<transfer><source type='DB' delimited=','>t</source><target type='DB' table=' ' task-num='0'/></transfer>"
        ),
        [
            found("AF502", "source"),
            found("AF504", "delimited"),
            found("AF502", "target"),
            found("AF502", "table"),
            found("AF105", "0"),
        ]
    );
    assert_eq!(
        findings(
            "<transfer><source type='HDFS'>t</source><target type='FILE' delimited='\\s+'/></transfer>"
        ),
        [
            found("AF107", "HDFS"),
            found("AF502", "target"),
            found("AF503", "\\s+")
        ]
    );
}

#[test]
fn rejected_rows_need_a_limit_and_a_file() {
    let target = |attributes: &str| {
        findings(&format!(
            "<transfer><source type='FILE'>/x</source><target type='DB' db-link='a' table='t' {attributes}/></transfer>"
        ))
    };
    for right in [
        "",
        "reject-limit='0' rejects='/bad.csv'",
        "reject-limit=' 0.5% ' rejects='/bad.csv'",
        "reject-limit='${param:most}' rejects='/bad.csv'",
    ] {
        assert_eq!(target(right), [], "{right}");
    }
    for (wrong, code, place) in [
        ("reject-limit='3'", "AF502", "reject-limit"),
        ("rejects='/bad.csv' reject-limit=' '", "AF502", "rejects"),
        ("rejects='/bad.csv' reject-limit='101%'", "AF511", "101%"),
        ("rejects='/bad.csv' reject-limit='-1'", "AF511", "-1"),
        ("rejects='/bad.csv' reject-limits='1'", "AF502", "rejects"),
    ] {
        let found = target(wrong);
        assert!(
            found.contains(&(code, place.to_owned())),
            "{wrong}: {found:?}"
        );
    }
    assert_eq!(
        findings(
            "<transfer><source type='FILE'>/x</source><target type='FILE' path='/y' reject-limit='1' rejects='/z'/></transfer>"
        ),
        [found("AF511", "reject-limit"), found("AF511", "rejects")]
    );
}

#[test]
fn what_becomes_of_rows_in_a_table_is_refused_at_a_file() {
    let target = |attributes: &str| {
        findings(&format!(
            "<transfer><source type='FILE'>/x</source><target type='FILE' path='/y' {attributes}/></transfer>"
        ))
    };
    for (attributes, name) in [
        ("mode='append'", "mode"),
        ("key='id'", "key"),
        ("guard='true'", "guard"),
    ] {
        assert_eq!(target(attributes), [found("AF511", name)], "{attributes}");
    }
    // These change nothing.
    assert_eq!(target("guard='false' reject-limit=' '"), []);
    assert_eq!(
        target("is-pre-truncate='true'"),
        [found("AF504", "is-pre-truncate")]
    );
}

#[test]
fn addresses_that_nothing_reads_or_writes_are_no_paths() {
    let of_source = |path: &str| {
        findings(&format!(
            "<transfer><source type='FILE'> {path}</source><target type='DB' db-link='a' table='t'/></transfer>"
        ))
    };
    let of_target = |path: &str| {
        findings(&format!(
            "<transfer><source type='FILE'>/x</source><target type='FILE' path='{path}'/></transfer>"
        ))
    };
    for path in [
        "s3://b/k",
        "sftp://h/f",
        "FTP://h/f",
        "file:///x",
        "HTTP://h/f",
    ] {
        assert_eq!(of_source(path), [found("AF511", &format!(" {path}"))]);
        assert_eq!(of_target(path), [found("AF511", path)]);
    }
    assert_eq!(of_source("https://h/f"), []);
    assert_eq!(of_source("${param:base}/f"), []);
    assert_eq!(of_target("a/b:/c"), []);
}

#[test]
fn a_computed_column_has_a_name_and_a_workbook_is_no_target() {
    let of = |column: &str, format: &str| {
        findings(&format!(
            "<transfer><source type='FILE'>/x{column}</source><target type='FILE' path='/y' {format}/></transfer>"
        ))
    };
    let nameless = of("<column name=' ' value='1'/>", "");
    assert!(
        nameless
            .iter()
            .any(|(_, place)| place == " " || place == "name"),
        "{nameless:?}"
    );
    assert_eq!(of("", "format='xlsx'"), [found("AF107", "xlsx")]);
}

#[test]
fn empty_bodies_are_errors() {
    for body in [
        "<script><code> </code></script>",
        "<script/>",
        "<shell><command/></shell>",
        "<sql db-link='a'> </sql>",
        "<sql db-link='a'>-- nothing\n;</sql>",
        "<sql>select 1</sql>",
        "<transfer><script> </script></transfer>",
    ] {
        assert!(!findings(body).is_empty(), "{body}");
    }
}

#[test]
fn the_registry_is_the_catalog_that_files_are_checked_with() {
    let registry = Registry::builtin();
    for tag in ["http", "script", "wait"] {
        assert!(registry.tags().contains(&tag), "{tag} runs");
    }
    assert!(!registry.tags().contains(&"sub-workflow"), "the engine's");
    assert!(ActionCatalog::tags(&registry).contains(&"email"));
    let mut diagnostics = Diagnostics::new();
    let check = |body: &str, diagnostics: &mut Diagnostics| {
        registry.check(
            xml::read(body.as_bytes()).root.as_ref().unwrap(),
            diagnostics,
        )
    };
    assert_eq!(check("<emial/>", &mut diagnostics), None);
    assert!(!diagnostics.has_errors());
    assert_eq!(check("<sql/>", &mut diagnostics), Some(()));
    assert!(diagnostics.has_errors());
}
