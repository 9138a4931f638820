//! Mails against a real mail server, whose mails are read back. `./sbin/test` starts it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use akkaflow_alert::judge::{Tried, judge};
use akkaflow_alert::letter::letter;
use akkaflow_alert::smtp::{Options, Security, Smtp};
use akkaflow_model::element::{Child, Element, Span};
use akkaflow_model::id::InstanceId;
use akkaflow_model::mail::{DeliveryRow, DeliveryState, MailFacts, MailKey, MailKind, MailRow};
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use tokio::io::AsyncWriteExt as _;

/// The server that the test script has started.
struct Server {
    folder: PathBuf,
    starttls: u16,
    tls: u16,
    plain: u16,
}

impl Server {
    #[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
    fn find() -> Option<Self> {
        let Ok(words) = std::env::var("AKKAFLOW_TEST_SMTP") else {
            let must = std::env::var_os("AKKAFLOW_TEST_REQUIRE_SERVERS").is_some();
            assert!(!must, "AKKAFLOW_TEST_SMTP is not set");
            eprintln!("SKIPPED: AKKAFLOW_TEST_SMTP names no mail server; ./sbin/test starts one");
            return None;
        };
        let mut words = words.rsplitn(4, ' ');
        let mut port = || words.next().unwrap().parse().unwrap();
        let (plain, tls, starttls) = (port(), port(), port());
        let folder = words.next().unwrap().into();
        Some(Self {
            folder,
            starttls,
            tls,
            plain,
        })
    }

    fn options(&self, security: Security) -> Options {
        let port = match security {
            Security::StartTls => self.starttls,
            Security::Tls => self.tls,
            Security::None => self.plain,
        };
        let has_user = security != Security::None;
        let user = |text: &str| {
            if has_user {
                text.to_owned()
            } else {
                String::new()
            }
        };
        Options {
            host: "localhost".to_owned(),
            port,
            security,
            username: user("etl"),
            password: user("test-only"),
            from: "akkaflow <etl@example.com>".to_owned(),
            ca_file: Some(self.folder.join("ca.pem")),
            time_limit: Duration::from_secs(20),
        }
    }

    /// What the server has taken of this mail, each as its text.
    fn taken(&self, mail: &MailRow) -> Vec<String> {
        let id = format!("Message-ID: <{}>", mail.key.message_id());
        let files = std::fs::read_dir(self.folder.join("mail/new")).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        texts.filter(|text| text.contains(&id)).collect()
    }
}

/// A mail of its own for each test, and for each run of it.
fn mail(receivers: &[&str]) -> MailRow {
    let born = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let born_at = Timestamp::from_millis(born.as_millis() as i64);
    let mut paragraph = Element::new("p");
    paragraph.children.push(Child::Text {
        text: "订单已导入 <b>&\r\n.\r\nRCPT TO:<x@y>".into(),
        span: Span::default(),
    });
    let instance = InstanceId::from_parts(
        born_at,
        u128::from(born.subsec_nanos()) << 32 | u128::from(std::process::id()),
    );
    MailRow {
        key: MailKey {
            instance,
            run: 1,
            kind: MailKind::Notice,
            node: "tell".into(),
            attempt: 1,
        },
        workflow: "日报\r\nBcc: evil@example.com".to_owned(),
        born_at,
        receivers: receivers.iter().map(|&it| it.to_owned()).collect(),
        facts: MailFacts::Notice {
            content: vec![paragraph],
        },
    }
}

async fn send(options: Options, mail: &MailRow, to: &[String]) -> Tried {
    let smtp = Smtp::new(options).unwrap();
    match smtp.connect().await {
        Ok(mut session) => {
            let letter = letter(mail, None, Lang::Zh, chrono_tz::UTC);
            let tried = session.send(&letter, mail, to).await;
            session.close().await;
            tried
        }
        Err(error) => Tried::failed(error),
    }
}

#[tokio::test]
async fn a_mail_arrives_over_starttls_over_tls_and_on_this_machine() {
    let Some(server) = Server::find() else { return };
    for security in [Security::StartTls, Security::Tls, Security::None] {
        let mail = mail(&["王 <wang@example.com>", "li@example.com"]);
        let tried = send(server.options(security), &mail, &mail.receivers).await;
        assert_eq!(tried.error, None, "{security:?}");
        assert_eq!(tried.accepted, mail.receivers);
        let [text] = &server.taken(&mail)[..] else {
            panic!("{security:?}: it came {} times", server.taken(&mail).len());
        };
        assert!(text.contains("X-Envelope-To: wang@example.com,li@example.com"));
        assert!(text.contains("Cc: li@example.com") && text.contains("<wang@example.com>"));
        assert!(text.contains("Auto-Submitted: auto-generated"));
        assert!(text.contains("multipart/alternative"));
        // Neither a subject nor a body adds a header or a command.
        assert!(
            !text.contains("\nBcc:") && !text.contains("RCPT TO"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn of_three_receivers_one_refused_and_one_put_off_lose_nothing() {
    let Some(server) = Server::find() else { return };
    let mut options = server.options(Security::StartTls);
    // Whom the server has put off before is known by the sender.
    options.from = format!("etl-{}@example.com", std::process::id());
    let mail = mail(&["ok@example.com", "refused@example.com", "later@example.com"]);
    let tried = send(options.clone(), &mail, &mail.receivers).await;
    assert_eq!(
        (&tried.accepted[..], &tried.error),
        (&["ok@example.com".to_owned()][..], &None)
    );
    let row = judge(
        &mail,
        DeliveryRow::new(mail.key.clone(), mail.born_at),
        tried,
        mail.born_at,
    );
    assert_eq!(row.state, DeliveryState::Waiting);
    let missing = akkaflow_alert::judge::missing(&mail, &row);
    assert_eq!(missing, ["later@example.com"]);
    let tried = send(options, &mail, &missing).await;
    let row = judge(&mail, row, tried, mail.born_at);
    assert_eq!(row.state, DeliveryState::Dead);
    assert_eq!(row.accepted, ["ok@example.com", "later@example.com"]);
    assert!(row.refused[0].answer.contains("no such user"), "{row:?}");
    let taken = server.taken(&mail);
    assert_eq!(taken.len(), 2, "one Message-ID, each receiver once");
}

#[tokio::test]
async fn a_wrong_password_a_foreign_certificate_and_a_server_without_tls_are_told() {
    let Some(server) = Server::find() else { return };
    let mail = mail(&["a@example.com"]);
    let mut wrong = server.options(Security::StartTls);
    wrong.password = "guess".to_owned();
    let error = send(wrong, &mail, &mail.receivers).await.error.unwrap();
    assert!(error.en.contains("535"), "{error:?}");
    assert!(!error.en.contains("guess"));
    for security in [Security::StartTls, Security::Tls] {
        let mut foreign = server.options(security);
        foreign.ca_file = None;
        let error = send(foreign, &mail, &mail.receivers).await.error.unwrap();
        assert!(error.en.contains("certificate"), "{error:?}");
    }
    let mut open = server.options(Security::StartTls);
    open.port = server.plain;
    let error = send(open, &mail, &mail.receivers).await.error.unwrap();
    assert!(error.en.contains("STARTTLS"), "{error:?}");
    assert_eq!(server.taken(&mail), [""; 0]);
}

#[tokio::test]
async fn what_is_no_address_is_refused_without_asking_and_spoils_nothing() {
    let Some(server) = Server::find() else { return };
    let mail = mail(&[
        "nobody",
        "a@example.com\r\nRCPT TO:<evil@example.com>",
        "b@example.com",
    ]);
    let tried = send(server.options(Security::None), &mail, &mail.receivers).await;
    assert_eq!(tried.accepted, ["b@example.com"]);
    let refused: Vec<&str> = tried
        .refused
        .iter()
        .map(|it| it.receiver.as_str())
        .collect();
    assert_eq!(refused, &mail.receivers[..2]);
    assert!(tried.refused.iter().all(|it| it.is_final));
    assert!(server.taken(&mail)[0].contains("X-Envelope-To: b@example.com\n"));
}

#[tokio::test]
async fn many_receivers_fit_and_one_mailbox_gets_one_mail() {
    let Some(server) = Server::find() else { return };
    let mut receivers: Vec<String> = (0..60)
        .map(|number| {
            format!(
                "{}{number:02} 王 <firstname.lastname{number:02}@dept.example.com>",
                "N".repeat(90)
            )
        })
        .collect();
    receivers.push("firstname.lastname00@DEPT.example.com".to_owned());
    let names: Vec<&str> = receivers.iter().map(String::as_str).collect();
    let mail = mail(&names);
    let tried = send(server.options(Security::None), &mail, &mail.receivers).await;
    assert_eq!((tried.error, tried.refused), (None, Vec::new()));
    assert_eq!(tried.accepted.len(), 61);
    let text = &server.taken(&mail)[0];
    assert!(
        text.lines()
            .filter(|line| !line.starts_with("X-Envelope-To"))
            .all(|line| line.len() < 998)
    );
    let envelope = text.lines().find(|line| line.starts_with("X-Envelope-To"));
    assert_eq!(envelope.unwrap().matches("lastname00@").count(), 1);
}

#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_time_limit() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // It answers the connection and then nothing more.
    let silent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 here\r\n").await.unwrap();
        stream
    });
    let options = Options {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        username: String::new(),
        password: String::new(),
        from: "etl@example.com".to_owned(),
        ca_file: None,
        time_limit: Duration::from_millis(200),
    };
    let mail = mail(&["a@example.com"]);
    let error = send(options, &mail, &mail.receivers).await.error.unwrap();
    assert!(
        error.en.contains("did not answer within 0.2 s"),
        "{error:?}"
    );
    drop(silent.await.unwrap());
}

#[test]
fn an_open_way_to_another_machine_and_a_wrong_sender_are_refused_at_once() {
    let options = |security, from: &str| Options {
        host: "mail.example.com".to_owned(),
        port: 0,
        security,
        username: String::new(),
        password: String::new(),
        from: from.to_owned(),
        ca_file: None,
        time_limit: Duration::from_secs(1),
    };
    let error = Smtp::new(options(Security::None, "a@example.com")).unwrap_err();
    assert!(error.0.en.contains("starttls or tls"), "{error}");
    let error = Smtp::new(options(Security::Tls, "")).unwrap_err();
    assert!(error.0.en.contains("set the sender"), "{error}");
    let mut wrong = options(Security::Tls, "a@example.com");
    wrong.time_limit = Duration::ZERO;
    assert!(Smtp::new(wrong.clone()).is_err());
    wrong.time_limit = Duration::from_secs(1);
    wrong.ca_file = Some("/etc/hostname".into());
    let error = Smtp::new(wrong.clone()).unwrap_err();
    assert!(error.0.en.contains("mail.ca-file"), "{error}");
    wrong.ca_file = None;
    wrong.username = "etl".to_owned();
    let error = Smtp::new(wrong).unwrap_err();
    assert!(error.0.en.contains("AKKAFLOW_MAIL_PASSWORD"), "{error}");
    let error = Smtp::new(options(Security::Tls, "nobody")).unwrap_err();
    assert!(error.0.en.contains("mail.from"), "{error}");
}
