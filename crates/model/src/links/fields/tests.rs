use super::*;

fn key(kind: LinkKind) -> LinkKey {
    LinkKey {
        kind,
        name: "a".to_owned(),
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, Secret)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
        .collect()
}

fn database() -> Fields {
    Fields {
        values: pairs(&[
            ("type", "MYSQL"),
            ("jdbc-url", "jdbc:mysql://h/d?password=INURL"),
            ("username", "u"),
            ("password", "PASS"),
        ]),
        properties: pairs(&[("ssl", "true"), ("trustPassword", "INPROPERTY")]),
    }
}

fn files() -> Fields {
    Fields {
        values: pairs(&[
            ("type", "SFTP"),
            ("host", "h"),
            ("username", "u"),
            ("password", "PASS"),
            ("port", "22"),
            ("key-file", "id"),
            ("desc", "d"),
        ]),
        properties: Vec::new(),
    }
}

fn change(values: &[(&str, &str)]) -> LinkEdit {
    LinkEdit {
        values: pairs(values),
        properties: None,
        write: Write::Change,
    }
}

#[test]
fn a_link_says_again_what_was_said_of_it() {
    for (kind, fields) in [(LinkKind::Db, database()), (LinkKind::File, files())] {
        let link = Link::read(&key(kind), &fields).unwrap();
        assert_eq!(link.fields(), fields);
        let text = serde_json::to_string(&link).unwrap();
        assert_eq!(serde_json::from_str::<Link>(&text).unwrap(), link);
    }
}

#[test]
fn what_is_said_is_checked_as_the_files_are_and_all_of_it() {
    let wrong = |kind, values: &[(&str, &str)]| {
        let fields = Fields {
            values: pairs(values),
            properties: Vec::new(),
        };
        let found = Link::read(&key(kind), &fields).unwrap_err();
        let texts: Vec<String> = found.into_iter().map(|text| text.en).collect();
        texts.join("; ")
    };
    let found = wrong(LinkKind::Db, &[("type", "DB2"), ("usernam", "u")]);
    for part in [
        "DB2",
        "jdbc-url",
        "usernam",
        "needs the attribute `username`",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let found = wrong(
        LinkKind::File,
        &[
            ("type", "SFTP"),
            ("host", "h"),
            ("port", "0"),
            ("username", "u"),
        ],
    );
    for part in ["`port`", "`password`"] {
        assert!(found.contains(part), "{part}: {found}");
    }
}

#[test]
fn a_change_keeps_what_it_does_not_say() {
    let edited = database()
        .edited(change(&[("username", "v"), ("desc", "d")]))
        .unwrap();
    assert_eq!(edited.value("username"), Some("v"));
    assert_eq!(edited.value("password"), Some("PASS"));
    assert_eq!(edited.value("desc"), Some("d"));
    assert_eq!(edited.properties, database().properties);
    let whole = LinkEdit {
        write: Write::Put,
        ..change(&[("type", "SQLITE")])
    };
    let edited = database().edited(whole).unwrap();
    assert_eq!((edited.values.len(), edited.properties.len()), (1, 0));
}

#[test]
fn a_password_does_not_follow_to_another_place_by_itself() {
    let elsewhere = ("jdbc-url", "jdbc:mysql://thief/d");
    assert!(database().edited(change(&[elsewhere])).is_err());
    assert!(
        database()
            .edited(change(&[elsewhere, ("password", "x")]))
            .is_ok()
    );
    let same = ("jdbc-url", "jdbc:mysql://h/d?password=INURL");
    assert!(database().edited(change(&[same])).is_ok());
    assert!(files().edited(change(&[("host", "thief")])).is_err());
}

#[test]
fn no_password_is_shown_wherever_it_stands() {
    let masked = serde_json::to_string(&database().masked()).unwrap();
    let shown = format!("{masked} {:?}", database());
    for secret in ["PASS", "INURL", "INPROPERTY"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("jdbc:mysql://h/d?password=***"), "{shown}");
}
