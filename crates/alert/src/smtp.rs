//! Hands letters to a mail server: one connection for what is due, one transaction a mail, an answer for each receiver.

use std::path::PathBuf;
use std::time::Duration;

use akkaflow_model::mail::{MailRow, Refusal};
use akkaflow_model::text::Text;
use lettre::address::Envelope;
use lettre::message::header::{
    self, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue, Headers,
};
use lettre::message::{Mailbox, Mailboxes, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::{Address, Message};
use tokio::time::timeout;

use crate::judge::Tried;
use crate::letter::Letter;

/// How the way to the mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS begins after the first words; usual on port 587. A server that does not offer it gets nothing.
    StartTls,
    /// TLS from the first byte; usual on port 465.
    Tls,
    /// None: for a server on this machine only.
    None,
}

/// Which mail server, and as whom.
#[derive(Clone)]
pub struct Options {
    /// Its name; the certificate must be for it.
    pub host: String,
    /// Its port; 0 is the usual one.
    pub port: u16,
    /// How the way is kept from others.
    pub security: Security,
    /// Empty: without logging in.
    pub username: String,
    /// Of that user.
    pub password: String,
    /// The sender: `a@b.c` or `Name <a@b.c>`.
    pub from: String,
    /// A further certificate authority, in PEM.
    pub ca_file: Option<PathBuf>,
    /// For a connection, and for each answer; the one that takes a mail may take [`SCAN`] times as long.
    pub time_limit: Duration,
}

/// Mail servers look through what they are sent before they take it. One that is hung up on may take it all the same, and gets it twice.
pub const SCAN: u32 = 10;

/// Begins a certificate.
const BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Characters of a receiver's name that are sent: a line of a header has its limits.
const LONGEST_NAME: usize = 60;

/// The settings are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} / {}", .0.en, .0.zh)]
pub struct Unusable(pub Text);

/// A mail server that is told of mails.
pub struct Smtp {
    options: Options,
    from: Mailbox,
    tls: Option<TlsParameters>,
}

impl std::fmt::Debug for Smtp {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Smtp").field(&self.server()).finish()
    }
}

impl Smtp {
    /// Looks whether the settings make sense; nothing is sent yet.
    ///
    /// # Errors
    /// The sender is no address, the certificate cannot be read, or the way would be open to others.
    pub fn new(mut options: Options) -> Result<Self, Unusable> {
        let sender = if options.from.is_empty() {
            &options.username
        } else {
            &options.from
        };
        check(&options)?;
        let from = parse(sender).map_err(|why| {
            Unusable(Text::new(
                format!("发件人[{sender}]（mail.from）不是邮件地址：{why}"),
                format!("the sender `{sender}` (mail.from) is no mail address: {why}"),
            ))
        })?;
        if options.security == Security::None && !is_loopback(&options.host) {
            return Err(Unusable(Text::new(
                format!(
                    "到{}的连接未加密；mail.security = \"none\" 只能用于本机的邮件服务器，请改用 starttls 或 tls",
                    options.host
                ),
                format!(
                    "the way to {} would be open to others; mail.security = \"none\" is for a mail server on this machine only: use starttls or tls",
                    options.host
                ),
            )));
        }
        if options.port == 0 {
            options.port = match options.security {
                Security::StartTls => 587,
                Security::Tls => 465,
                Security::None => 25,
            };
        }
        let tls = match options.security {
            Security::None => None,
            _ => Some(tls_parameters(&options)?),
        };
        Ok(Self { options, from, tls })
    }

    /// `host:port`, for people.
    pub fn server(&self) -> String {
        format!("{}:{}", self.options.host, self.options.port)
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// What the server or the network said.
    pub async fn connect(&self) -> Result<Session<'_>, Text> {
        let connecting = self.connection();
        let connection = match timeout(self.options.time_limit, connecting).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(self.failure(&said(&error))),
            Err(_) => return Err(self.silent()),
        };
        Ok(Session {
            smtp: self,
            connection,
        })
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let Options {
            host,
            port,
            security,
            username,
            password,
            time_limit,
            ..
        } = &self.options;
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let at_once = self.tls.clone().filter(|_| *security == Security::Tls);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            Some(*time_limit),
            &hello,
            at_once,
            None,
        )
        .await?;
        if let (Security::StartTls, Some(tls)) = (security, &self.tls) {
            // A server that offers no TLS is an error here, never a reason to go on without it.
            connection.starttls(tls.clone(), &hello).await?;
        }
        if !username.is_empty() {
            let credentials = Credentials::new(username.clone(), password.clone());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await?;
        }
        Ok(connection)
    }

    fn failure(&self, said: &str) -> Text {
        Text::new(
            format!("邮件服务器{}：{said}", self.server()),
            format!("mail server {}: {said}", self.server()),
        )
    }

    fn silent(&self) -> Text {
        let seconds = self.options.time_limit.as_secs_f64();
        Text::new(
            format!("邮件服务器{}在{seconds}秒内没有应答", self.server()),
            format!(
                "mail server {} did not answer within {seconds} s",
                self.server()
            ),
        )
    }

    fn message(&self, letter: &Letter, mail: &MailRow) -> Result<Vec<u8>, String> {
        let mut known: Vec<Mailbox> = Vec::new();
        for mailbox in mail.receivers.iter().filter_map(|it| parse(it).ok()) {
            if !known.iter().any(|it| is_same(&it.email, &mailbox.email)) {
                known.push(mailbox);
            }
        }
        let (first, others) = known.split_first().ok_or("nobody to send it to")?;
        let everybody = known.iter().map(|it| it.email.clone()).collect();
        let sender = Some(self.from.email.clone());
        let envelope = Envelope::new(sender, everybody).map_err(|it| it.to_string())?;
        let part = |kind: ContentType, body: &str| {
            SinglePart::builder()
                .header(kind)
                .header(ContentTransferEncoding::Base64)
                .body(body.to_owned())
        };
        let mut builder = Message::builder()
            .from(self.from.clone())
            .envelope(envelope)
            .raw_header(folded("To", std::slice::from_ref(first)))
            .subject(&letter.subject)
            .date(mail.born_at.to_utc().into())
            .message_id(Some(format!("<{}>", mail.key.message_id())))
            .header(AutoSubmitted);
        if !others.is_empty() {
            builder = builder.raw_header(folded("Cc", others));
        }
        let message = builder.multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
                .singlepart(part(ContentType::TEXT_HTML, &letter.html)),
        );
        message
            .map(|it| it.formatted())
            .map_err(|it| it.to_string())
    }
}

/// A connection to a mail server.
pub struct Session<'a> {
    smtp: &'a Smtp,
    connection: AsyncSmtpConnection,
}

impl Session<'_> {
    /// Sends one mail to these of its receivers.
    pub async fn send(&mut self, letter: &Letter, mail: &MailRow, to: &[String]) -> Tried {
        let mut tried = Tried::default();
        // One mailbox may be spelled in several ways.
        let mut known: Vec<(Address, Vec<String>)> = Vec::new();
        for receiver in to {
            match parse(receiver) {
                Ok(mailbox) => match known.iter_mut().find(|(it, _)| is_same(it, &mailbox.email)) {
                    Some((_, spellings)) => spellings.push(receiver.clone()),
                    None => known.push((mailbox.email, vec![receiver.clone()])),
                },
                Err(why) => tried.refused.push(Refusal {
                    receiver: receiver.clone(),
                    answer: format!("not a mail address: {why}"),
                    is_final: true,
                }),
            }
        }
        if known.is_empty() {
            return tried;
        }
        let message = match self.smtp.message(letter, mail) {
            Ok(message) => message,
            Err(why) => return Tried::failed(Text::verbatim(why)),
        };
        tried.error = match self.transaction(&message, &known, &mut tried).await {
            Ok(()) => None,
            Err(Broken::Said(error)) => Some(self.smtp.failure(&said(&error))),
            Err(Broken::Silent) => Some(self.smtp.silent()),
        };
        tried
    }

    async fn transaction(
        &mut self,
        message: &[u8],
        to: &[(Address, Vec<String>)],
        tried: &mut Tried,
    ) -> Result<(), Broken> {
        let limit = self.smtp.options.time_limit;
        let connection = &mut self.connection;
        let mut parameters = Vec::new();
        let sender = &self.smtp.from.email;
        let is_foreign = |it: &Address| !AsRef::<str>::as_ref(it).is_ascii();
        let is_international = is_foreign(sender) || to.iter().any(|(it, _)| is_foreign(it));
        if is_international
            && connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
        {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let begin = Mail::new(Some(sender.clone()), parameters);
        within(limit, connection.command(begin)).await?;
        let mut taken = Vec::new();
        for (address, spellings) in to {
            let named = Rcpt::new(address.clone(), Vec::new());
            match within(limit, connection.command(named)).await {
                Ok(_) => taken.extend(spellings.iter().cloned()),
                Err(Broken::Said(error)) if error.status().is_some() => {
                    let answer = said(&error);
                    let refusals = spellings.iter().map(|receiver| Refusal {
                        receiver: receiver.clone(),
                        answer: answer.clone(),
                        is_final: error.is_permanent(),
                    });
                    tried.refused.extend(refusals);
                }
                Err(error) => return Err(error),
            }
        }
        if taken.is_empty() {
            within(limit, connection.command(Rset)).await?;
            return Ok(());
        }
        within(limit, connection.command(Data)).await?;
        within(SCAN * limit, connection.message(message)).await?;
        // Only now the server answers for it.
        tried.accepted = taken;
        Ok(())
    }

    /// Says good-bye; whoever does not answer is left alone.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(2), self.connection.quit()).await;
    }
}

/// How a talk with a mail server ends badly.
enum Broken {
    Said(lettre::transport::smtp::Error),
    Silent,
}

async fn within<T>(
    limit: Duration,
    talk: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Broken> {
    match timeout(limit, talk).await {
        Ok(answer) => answer.map_err(Broken::Said),
        Err(_) => Err(Broken::Silent),
    }
}

/// Receivers, one a line: mail servers refuse lines of more than 998 bytes.
fn folded(name: &'static str, mailboxes: &[Mailbox]) -> HeaderValue {
    let one = |mailbox: &Mailbox| {
        let mut mailbox = mailbox.clone();
        mailbox.name = mailbox
            .name
            .map(|it| it.chars().take(LONGEST_NAME).collect());
        let mut headers = Headers::new();
        headers.set(header::To::from(Mailboxes::from(mailbox)));
        let line = headers.to_string();
        line.trim_start_matches("To: ").trim_end().to_owned()
    };
    let encoded: Vec<String> = mailboxes.iter().map(one).collect();
    let plain: Vec<String> = mailboxes.iter().map(ToString::to_string).collect();
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, plain.join(", "), encoded.join(",\r\n "))
}

/// Whether both are one mailbox: domains are the same in any case.
fn is_same(left: &Address, right: &Address) -> bool {
    left.user() == right.user() && left.domain().eq_ignore_ascii_case(right.domain())
}

/// No machine answers such a mail: out-of-office notes stay away (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn parse(address: &str) -> Result<Mailbox, String> {
    if address.chars().any(char::is_control) {
        return Err("it holds a control character".to_owned());
    }
    address
        .trim()
        .parse()
        .map_err(|it: lettre::address::AddressError| it.to_string())
}

/// Refuses what could never work.
fn check(options: &Options) -> Result<(), Unusable> {
    let wrong = |zh: &str, en: &str| Err(Unusable(Text::new(zh, en)));
    if (options.host.chars()).any(|it| it.is_whitespace() || it.is_control()) {
        return wrong(
            "邮件服务器名称（mail.host）中有空白",
            "the name of the mail server (mail.host) holds a blank",
        );
    }
    if options.from.is_empty() && options.username.is_empty() {
        return wrong(
            "请设置发件人（mail.from），例如 \"akkaflow <etl@example.com>\"",
            "set the sender (mail.from), for example \"akkaflow <etl@example.com>\"",
        );
    }
    if !options.username.is_empty() && options.password.is_empty() {
        return wrong(
            "设置了mail.username，但没有密码；请用环境变量AKKAFLOW_MAIL_PASSWORD给出",
            "mail.username has no password; give it as the environment variable AKKAFLOW_MAIL_PASSWORD",
        );
    }
    if options.time_limit.is_zero() {
        return wrong(
            "发送邮件的时限（mail.time-limit）不能为0",
            "the time limit of mails (mail.time-limit) must not be 0",
        );
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|it| it.is_loopback())
}

fn tls_parameters(options: &Options) -> Result<TlsParameters, Unusable> {
    let mut builder = TlsParameters::builder(options.host.clone());
    if let Some(file) = &options.ca_file {
        let failed = |why: String| {
            let file = file.display();
            Unusable(Text::new(
                format!("无法使用证书文件{file}（mail.ca-file）：{why}"),
                format!("cannot use the certificate file {file} (mail.ca-file): {why}"),
            ))
        };
        let pem = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
        if !pem.windows(BEGINS.len()).any(|it| it == BEGINS) {
            return Err(failed("it holds no certificate in PEM".to_owned()));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|error| failed(said(&error)))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| {
        let why = said(&error);
        Unusable(Text::new(
            format!("无法建立TLS：{why}"),
            format!("TLS cannot be set up: {why}"),
        ))
    })
}

/// An error with its causes, on one line.
fn said(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words.push_str(": ");
            words.push_str(&inner_words);
        }
        cause = inner.source();
    }
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    // Errors within errors repeat what kind they are.
    let mut parts: Vec<&str> = words.split(": ").collect();
    parts.dedup();
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::said;

    #[derive(Debug, thiserror::Error)]
    #[error("Connection error: {0}")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("Connection error: {0}")]
    struct Inner(#[source] std::io::Error);

    #[test]
    fn an_error_within_another_of_its_kind_is_named_once() {
        let cause = std::io::Error::other("refused:\n25");
        let words = said(&Outer(Inner(cause)));
        assert_eq!(words, "Connection error: refused: 25");
    }
}
