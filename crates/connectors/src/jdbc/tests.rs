use super::*;

fn parse(url: &str) -> JdbcUrl {
    JdbcUrl::parse(url).unwrap()
}

#[test]
fn urls_of_akkaflow_users_are_understood() {
    let url = parse(
        "jdbc:mysql://127.0.0.1:3306/wf?useSSL=false&autoReconnect=true&useUnicode=true&characterEncoding=utf-8",
    );
    assert_eq!(
        (url.host.as_str(), url.port, url.database.as_str()),
        ("127.0.0.1", 3306, "wf")
    );
    assert_eq!(url.option("usessl"), Some("false"));
    assert_eq!(url.notes, []);
    assert_eq!(parse("jdbc:mariadb://db/").port, 3306);
    assert_eq!(
        parse("jdbc:postgresql://[::1]:6000/x").address(),
        "[::1]:6000"
    );
    assert_eq!(parse("JDBC:MySQL://h/d").kind, DbKind::Mysql);
    assert_eq!(parse("jdbc:sqlite:data/a.db").database, "data/a.db");
    assert_eq!(parse("jdbc:sqlite:data/a.db?foo=1").notes.len(), 1);
}

#[test]
fn unknown_options_and_further_hosts_are_noted() {
    let url = parse("jdbc:mysql:loadbalance://a:1,b:2/db?allowLoadLocalInfile=true&x=1");
    assert_eq!(url.address(), "a:1");
    assert_eq!(url.notes.len(), 3);
}

#[test]
fn properties_of_a_link_are_options_that_the_url_goes_before() {
    let property = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let url = parse("jdbc:mysql://h/d?useSSL=false").with_properties(&[
        property("useSSL", "true"),
        property("connectTimeout", "2000"),
        property("autoReconnect", "true"),
        property("max-attempts", "3"),
        property("idle-timeout", "5"),
        property("fetch", "1"),
    ]);
    assert_eq!(url.option("usessl"), Some("false"));
    assert_eq!(url.option("connecttimeout"), Some("2000"));
    let notes: Vec<&str> = url.notes.iter().map(|note| note.en.as_str()).collect();
    assert_eq!(notes, ["the property fetch is ignored"]);
}

#[test]
fn wrong_urls_say_what_to_write_and_never_a_password() {
    for url in [
        "mysql://h/d",
        "jdbc:mysql:h/d",
        "jdbc:mysql://h:port/d?password=secret",
        "jdbc:mysql://u:secret@h:x/d",
        "jdbc:mysql://h:99999/d",
        "jdbc:sqlite:",
        "jdbc",
        "",
        "中文",
    ] {
        let error = JdbcUrl::parse(url).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{url}");
        assert!(error.text().en.contains("jdbc:mysql://"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let text = JdbcUrl::parse("jdbc").unwrap_err().text();
    assert_eq!(
        (text.zh.as_str(), text.en.as_str()),
        (
            "jdbc地址`jdbc`格式有误，应形如jdbc:mysql://host:3306/db、jdbc:postgresql://host:5432/db或jdbc:sqlite:/path/file.db",
            "cannot read the JDBC URL `jdbc`; write jdbc:mysql://host:3306/db, jdbc:postgresql://host:5432/db or jdbc:sqlite:/path/file.db"
        )
    );
    for (url, product) in [
        ("jdbc:oracle:thin:@h:1521:x", "Oracle"),
        ("jdbc:hive2://h:10000/d", "Hive"),
        ("jdbc:foo://h", "foo"),
    ] {
        let words = JdbcUrl::parse(url).unwrap_err().text();
        assert!(words.en.contains(product) && words.en.contains("not supported by this version"));
    }
}
