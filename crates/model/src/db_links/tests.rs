use super::{DbKind, DbLink, Secret};
use crate::diagnostic::Diagnostic;
use crate::links::{Link, LinkKind, read_file};

const FILE: &str = "config/db_links.xml";

fn read(text: &str) -> (Vec<DbLink>, Vec<Diagnostic>) {
    let read = read_file(LinkKind::Db, text.as_bytes(), FILE, &|_| Ok(()));
    let links = read.links.into_iter().map(|link| match link {
        Link::Db(link) => link,
        Link::File(_) => unreachable!("a file of db-links holds no others"),
    });
    (links.collect(), read.diagnostics)
}

#[test]
fn the_links_of_akkaflow_users_are_read() {
    let text = r#"<db-links>
      <link name="hive" type="HIVE" jdbc-url="jdbc:hive2://h:10000/default" username="u" password="p" desc="仓库">
        <properties><property name="mapred.job.name"> akka </property></properties>
      </link>
      <link name="local" type="mysql" jdbc-url="jdbc:mysql://127.0.0.1:3306/wf?useSSL=false&amp;a=b" username="root" password=""/>
      <link name="lite" type="Sqlite" jdbc-url="jdbc:sqlite:/tmp/x.db"/>
    </db-links>"#;
    let (links, diagnostics) = read(text);
    assert_eq!(diagnostics, []);
    let hive = DbLink {
        name: "hive".into(),
        kind: DbKind::Hive,
        jdbc_url: "jdbc:hive2://h:10000/default".into(),
        username: "u".into(),
        password: Secret::new("p"),
        desc: Some("仓库".into()),
        properties: vec![("mapred.job.name".into(), "akka".into())],
    };
    assert_eq!(links[0], hive);
    assert_eq!(
        links[1].jdbc_url,
        "jdbc:mysql://127.0.0.1:3306/wf?useSSL=false&a=b"
    );
    assert_eq!(
        (links[1].kind, links[2].kind),
        (DbKind::Mysql, DbKind::Sqlite)
    );
}

#[test]
fn a_wrong_link_does_not_hide_the_others() {
    let text = r#"<db-links>
      <link name="a" type="DB2" jdbc-url="x" username="u" password="p"/>
      <link name="b" type="mysql" jdbc-url="x" username="u"/>
      <link name="c" type="sqlite" jdbc-url="jdbc:sqlite:c"/>
      <link name="c" type="sqlite" jdbc-url="jdbc:sqlite:d"/>
    </db-links>"#;
    let (links, diagnostics) = read(text);
    assert_eq!(links.len(), 1);
    let codes: Vec<&str> = diagnostics.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["AF107", "AF602", "AF601"]);
}

#[test]
fn every_kind_has_its_words() {
    for word in DbKind::WORDS {
        let kind = DbKind::from_word(&word.to_lowercase()).unwrap();
        assert_eq!(DbKind::from_word(kind.as_str()), Some(kind));
    }
}

#[test]
fn a_password_is_never_printed_but_travels() {
    let secret = Secret::new("hunter2");
    assert_eq!(format!("{secret:?} {secret}"), "*** ***");
    let json = serde_json::to_string(&secret).unwrap();
    assert_eq!(json, "\"hunter2\"");
    assert_eq!(serde_json::from_str::<Secret>(&json).unwrap(), secret);
}
