//! Requests to the http-server.

use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, TryRecvError};
use std::time::Duration;

use akkaflow_api::{Cluster, ERROR_CODE_HEADER, LANG_HEADER, Problem, WARNINGS_HEADER};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Lang;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};

use crate::failure::Failure;

/// A command may wait 10 s for a master and 20 s for its answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A server that does not take a connection within this is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer: a page of a log with long lines.
const BODY_LIMIT: u64 = 256 << 20;

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A command that takes longer than this says what it waits for.
const SILENCE: Duration = Duration::from_secs(1);
/// How long the question may take whether a master leads.
const PROBE_TIMEOUT: Duration = Duration::from_millis(700);

/// Speaks to one http-server.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    server: String,
    lang: Lang,
    /// Whether it was said already that there is no master.
    was_said: Arc<AtomicBool>,
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) body: String,
    headers: ureq::http::HeaderMap,
}

/// What akkaflow's own interface answered.
pub(crate) struct LegacyAnswer {
    /// The line of JSON.
    pub(crate) line: String,
    /// The kind of failure when it says `fail`.
    pub(crate) code: Option<ErrorCode>,
    /// What the caller may not have meant, a sentence a line.
    pub(crate) warnings: String,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    pub(crate) fn new(server: &str, lang: Lang) -> Self {
        let server = server.trim_end_matches('/');
        let server = if server.contains("://") {
            server.to_owned()
        } else {
            format!("http://{server}")
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .build()
            .new_agent();
        Self {
            agent,
            server,
            lang,
            was_said: Arc::default(),
        }
    }

    /// Reads JSON.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.parse(&self.get_raw(path)?)
    }

    /// Reads whatever stands there.
    pub(crate) fn get_raw(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, &[], Vec::new())
    }

    /// Asks for something with a body of JSON.
    pub(crate) fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body).expect("requests are plain data");
        self.send(Method::POST, path, &[JSON], body)
    }

    /// Replaces something by a body of JSON.
    pub(crate) fn put(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body).expect("requests are plain data");
        self.send(Method::PUT, path, &[JSON], body)
    }

    /// Makes something by a body of JSON; refused where there is one already.
    pub(crate) fn put_new(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body).expect("requests are plain data");
        self.send(Method::PUT, path, &[JSON, ("if-none-match", "*")], body)
    }

    /// Changes a part of something by a body of JSON.
    pub(crate) fn patch(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body).expect("requests are plain data");
        self.send(Method::PATCH, path, &[JSON], body)
    }

    /// As [`Self::post`]; a repeated request with the same key gets the same answer.
    pub(crate) fn post_once(
        &self,
        path: &str,
        body: &impl Serialize,
        key: &str,
    ) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body).expect("requests are plain data");
        self.send(Method::POST, path, &[JSON, ("idempotency-key", key)], body)
    }

    /// Asks for something with a definition.
    pub(crate) fn post_xml(&self, path: &str, xml: Vec<u8>) -> Result<Answer, Failure> {
        self.send(
            Method::POST,
            path,
            &[("content-type", "application/xml")],
            xml,
        )
    }

    /// Removes something.
    pub(crate) fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::DELETE, path, &[], Vec::new())
    }

    /// Asks akkaflow's own interface.
    pub(crate) fn legacy(
        &self,
        path: &str,
        form: Option<&[(&str, &str)]>,
    ) -> Result<LegacyAnswer, Failure> {
        let answer = match form {
            None => self.get_raw(path)?,
            Some(pairs) => {
                let body = form_of(pairs).into_bytes();
                self.send(Method::POST, path, &[FORM], body)?
            }
        };
        let code = answer
            .header(ERROR_CODE_HEADER)
            .map(|word| serde_json::from_value(word.into()).unwrap_or(ErrorCode::Internal));
        let warnings = answer.header(WARNINGS_HEADER).map(decode);
        Ok(LegacyAnswer {
            warnings: warnings.unwrap_or_default(),
            line: answer.body,
            code,
        })
    }

    /// Asks for something that takes its time, and hands over each line of the answer as it comes.
    pub(crate) fn post_for_lines(
        &self,
        path: &str,
        limit: Duration,
        mut take: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let request = self
            .request(Method::POST, path, &[], Vec::new())
            .map_err(|error| self.bad_address(&error.to_string()))?;
        let request = self.agent.configure_request(request);
        let response = self
            .agent
            .run(request.timeout_global(Some(limit)).build())
            .map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return self.read(response).map(drop);
        }
        for line in BufReader::new(response.into_body().into_reader()).lines() {
            take(&line.map_err(|error| self.unreachable(&error.into()))?)?;
        }
        Ok(())
    }

    /// Reads the JSON of a good answer.
    pub(crate) fn parse<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        self.parse_text(&answer.body)
    }

    /// The same of a part of it.
    pub(crate) fn parse_text<T: DeserializeOwned>(&self, text: &str) -> Result<T, Failure> {
        serde_json::from_str(text).map_err(|error| self.not_ours(&error.to_string()))
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let _watch = is_for_master(&method, path).then(|| self.watch());
        let request = self
            .request(method, path, headers, body)
            .map_err(|error| self.bad_address(&error.to_string()))?;
        let response = self
            .agent
            .run(request)
            .map_err(|error| self.unreachable(&error))?;
        self.read(response)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Request<Vec<u8>>, ureq::http::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header(
                LANG_HEADER,
                match self.lang {
                    Lang::Zh => "zh",
                    Lang::En => "en",
                },
            );
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body)
    }

    /// Says what is being waited for, should the guard not be dropped soon.
    fn watch(&self) -> Sender<()> {
        let (guard, dropped) = std::sync::mpsc::channel();
        let agent = self.agent.clone();
        let url = format!("{}/api/v1/cluster", self.server);
        let (lang, was_said) = (self.lang, Arc::clone(&self.was_said));
        std::thread::spawn(move || {
            if dropped.recv_timeout(SILENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let has_master = leads(&agent, &url);
            let is_over = dropped.try_recv() == Err(TryRecvError::Disconnected);
            if !has_master && !is_over && !was_said.swap(true, Ordering::Relaxed) {
                eprintln!(
                    "{}",
                    match lang {
                        Lang::Zh => "没有master应答，正在等待（最多10秒）...",
                        Lang::En => "no master answers; waiting for one (10 s at most) ...",
                    }
                );
            }
        });
        guard
    }

    fn read(&self, mut response: Response<Body>) -> Result<Answer, Failure> {
        let body = response
            .body_mut()
            .with_config()
            .limit(BODY_LIMIT)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(|error| self.unreachable(&error))?;
        let (parts, _) = response.into_parts();
        if parts.status.is_success() {
            return Ok(Answer {
                body,
                headers: parts.headers,
            });
        }
        match serde_json::from_str::<Problem>(&body) {
            Ok(problem) => Err(Failure::of_problem(problem)),
            Err(_) => Err(self.not_ours(&format!("HTTP {}", parts.status))),
        }
    }

    fn say(&self, zh: String, en: String) -> String {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let server = &self.server;
        let code = match error {
            ureq::Error::Timeout(_) => ErrorCode::Timeout,
            _ => ErrorCode::Unavailable,
        };
        Failure::new(
            code,
            self.say(
                format!("无法连接http-server {server}（{error}）；请先启动它，或用 --server 或环境变量 AKKAFLOW_SERVER 指定地址"),
                format!("cannot reach the http-server at {server} ({error}); start it, or say where it is with --server or AKKAFLOW_SERVER"),
            ),
        )
    }

    fn bad_address(&self, error: &str) -> Failure {
        let server = &self.server;
        Failure::new(
            ErrorCode::Invalid,
            self.say(
                format!("[{server}]不是有效的服务地址（{error}）"),
                format!("`{server}` is no address of a server ({error})"),
            ),
        )
    }

    fn not_ours(&self, what: &str) -> Failure {
        let server = &self.server;
        Failure::new(
            ErrorCode::Internal,
            self.say(
                format!("{server}的应答无法识别（{what}），它是akkaflow的http-server吗？"),
                format!("{server} answered something unexpected ({what}); is it an akkaflow http-server?"),
            ),
        )
    }
}

/// Whether the http-server needs the master for the answer.
fn is_for_master(method: &Method, path: &str) -> bool {
    *method != Method::GET || path.starts_with("/akkaflow/") || path.contains("/explain")
}

/// Whether a master leads, as the http-server knows at once.
fn leads(agent: &Agent, url: &str) -> bool {
    let request = agent.get(url).config();
    let answer = request.timeout_global(Some(PROBE_TIMEOUT)).build().call();
    let cluster = answer.and_then(|mut answer| answer.body_mut().read_json::<Cluster>());
    cluster.is_ok_and(|cluster| cluster.master.is_some())
}

/// A name as one segment of a path, or as a value in a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// What [`encode`] made of a text; what it did not make stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let digits = rest.get(1..3).filter(|_| first == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                bytes.extend_from_slice(&rest.as_bytes()[..length]);
                rest = &rest[length..];
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn form_of(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_segment() {
        assert_eq!(encode("日报/a b&c.."), "%E6%97%A5%E6%8A%A5%2Fa%20b%26c..");
        assert_eq!(decode("%E6%97%A5%E6%8A%A5%2Fa%20b%26c.."), "日报/a b&c..");
        assert_eq!(decode("100%, 日%"), "100%, 日%");
    }
}
