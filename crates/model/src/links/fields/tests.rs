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
        "`username` is missing (akka link: --username)",
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
    for part in ["`port`", "`password` is missing"] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert!(!found.contains("<link>"), "that is said of files: {found}");
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

/// What was shown of a link, sent back as a whole with some other words.
fn sent_back(shown: &Fields, other: &[(&str, &str)]) -> LinkEdit {
    let mut values = shown.masked().values;
    values.retain(|(name, _)| other.iter().all(|(said, _)| said != name));
    values.extend(pairs(other));
    LinkEdit {
        values,
        properties: Some(shown.masked().properties),
        write: Write::Put,
    }
}

#[test]
fn what_was_shown_may_be_sent_back_and_keeps_every_password() {
    for fields in [database(), files()] {
        let same = fields.clone().edited(sent_back(&fields, &[])).unwrap();
        assert_eq!(same, fields);
    }
    let renamed = database().edited(sent_back(&database(), &[("username", "v")]));
    let renamed = renamed.unwrap();
    let said = |name: &str| renamed.value(name).unwrap().to_owned();
    assert_eq!(
        (said("username"), said("password")),
        ("v".to_owned(), "PASS".to_owned())
    );
    assert_eq!(said("jdbc-url"), "jdbc:mysql://h/d?password=INURL");
    assert_eq!(renamed.properties, database().properties);
    let changed = files().edited(change(&[("password", "***"), ("desc", "e")]));
    assert_eq!(changed.unwrap().value("password"), Some("PASS"));
    let new = database().edited(sent_back(&database(), &[("password", "NEW")]));
    assert_eq!(new.unwrap().value("password"), Some("NEW"));
}

#[test]
fn stars_never_become_a_password_and_none_follows_them_elsewhere() {
    let refused = |before: Fields, edit: LinkEdit| {
        let why = before.edited(edit).unwrap_err();
        assert!(why.en.contains("give the password itself"), "{why:?}");
    };
    for elsewhere in [
        "jdbc:mysql://thief/d?password=***",
        "jdbc:mysql://thief/d",
        "jdbc:mysql://h/d?password=***&a=b",
    ] {
        refused(
            database(),
            sent_back(&database(), &[("jdbc-url", elsewhere)]),
        );
        refused(
            database(),
            change(&[("jdbc-url", elsewhere), ("password", "***")]),
        );
    }
    refused(files(), sent_back(&files(), &[("host", "thief")]));
    let mut without_port = sent_back(&files(), &[]);
    without_port.values.retain(|(name, _)| name != "port");
    refused(files(), without_port);
    refused(Fields::default(), sent_back(&database(), &[]));
    let mut property = change(&[]);
    property.properties = Some(pairs(&[("keyPassword", "***")]));
    refused(database(), property);
}
