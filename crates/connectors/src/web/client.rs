//! One request over a connection of its own: an attempt's calls are few, and what is left open would have to be closed.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use akkaflow_model::text::Text;
use base64::Engine as _;
use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::processor_time;

/// A machine that does not take the connection within so long is given up.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// So much of an answer is read, bytes: checks and outputs look at small answers, and the worker's memory is bounded.
pub const MOST_BYTES: usize = 1 << 20;

/// What is asked.
pub struct Call {
    /// Where.
    pub url: Url,
    /// What is to be done there.
    pub method: Method,
    /// Headers; those that every request has are replaced where they are named again.
    pub headers: HeaderMap,
    /// What is sent; empty for nothing.
    pub body: Bytes,
}

/// What is answered.
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as far as it was read.
    pub body: Bytes,
    /// Whether the body is longer than what was read.
    pub is_cut: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The host does not take the connection.
    Connect(io::Error),
    /// There are no certificates to trust.
    Roots(String),
    /// It is not the host that was meant, or it does not speak TLS.
    Tls(io::Error),
    /// The connection broke.
    Talk(hyper::Error),
    /// The time that the caller gave is up.
    Late(Duration),
}

impl Failure {
    /// What happened, and what to do.
    pub fn text(&self) -> Text {
        match self {
            Self::Connect(error) => Text::new(
                format!("无法连接，请检查地址、端口与网络：{error}"),
                format!("cannot connect, look at host, port and network: {error}"),
            ),
            Self::Roots(error) => Text::new(
                format!("worker上没有可用的根证书，请安装ca-certificates：{error}"),
                format!("the worker has no root certificates, install ca-certificates: {error}"),
            ),
            Self::Tls(error) => Text::new(
                format!("TLS握手失败；自有CA请加入worker的系统证书：{error}"),
                format!(
                    "the TLS handshake failed; add a CA of your own to the certificates of the worker's system: {error}"
                ),
            ),
            Self::Talk(error) => Text::new(
                format!("应答前连接中断：{}", chain(error)),
                format!(
                    "the connection broke off before the answer: {}",
                    chain(error)
                ),
            ),
            Self::Late(limit) => {
                let seconds = limit.as_secs();
                Text::new(
                    format!("{seconds}秒内没有完成（time-limit）"),
                    format!("not done within {seconds} s (time-limit)"),
                )
            }
        }
    }
}

/// An error of hyper says little without its cause.
pub(super) fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Certificates to trust.
pub type Roots = fn() -> Result<RootCertStore, String>;

/// Those of the system. Read for each call, so that a new one needs no restart.
///
/// # Errors
/// Why there are none.
pub fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(errors.join("; "));
    }
    Ok(roots)
}

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Incoming,
    /// Driven by whoever reads the body, and dropped with it: nothing stays behind. `None` once it has ended.
    connection: Option<Connection>,
}

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

impl Answer {
    /// How long the body is, where the server says so.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// More of the body; `None` at its end.
    pub(super) fn poll_data(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Bytes>>> {
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(ended) = connection.as_mut().poll(context)
        {
            self.connection = None;
            if let Err(error) = ended {
                return Poll::Ready(Some(Err(error)));
            }
        }
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(context)?) {
                None => return Poll::Ready(None),
                Some(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

/// Asks, and reads the answer as far as it is bounded.
///
/// # Errors
/// Why there is no whole answer.
pub async fn ask(call: &Call, roots: Roots) -> Result<Reply, Failure> {
    let answer = send(call, roots).await?;
    read(answer).await.map_err(Failure::Talk)
}

/// Asks, and leaves the body to be read.
pub(super) async fn send(call: &Call, roots: Roots) -> Result<Answer, Failure> {
    let stream = connect(&call.url).await.map_err(Failure::Connect)?;
    if call.url.scheme() == "http" {
        return talk(call, stream).await;
    }
    let config = processor_time::spawn_blocking(move || tls(roots))
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
        .map_err(Failure::Roots)?;
    let host = call.url.host_str().unwrap_or_default();
    // Addresses of IPv6 stand in brackets in a URL.
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|error| Failure::Tls(io::Error::other(error)))?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(Failure::Tls)?;
    talk(call, stream).await
}

fn tls(roots: Roots) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config
        .with_root_certificates(roots()?)
        .with_no_client_auth())
}

async fn connect(url: &Url) -> io::Result<TcpStream> {
    let port = url.port_or_known_default().unwrap_or(80);
    let opening = async {
        match url.host() {
            Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
            Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
            Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
            None => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
    };
    let stream = tokio::time::timeout(CONNECT_LIMIT, opening)
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn talk<S>(call: &Call, stream: S) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(Failure::Talk)?;
    let mut connection: Option<Connection> = Some(Box::pin(connection));
    let mut asking = std::pin::pin!(sender.send_request(request(call)));
    let response = tokio::select! {
        biased;
        response = &mut asking => response,
        ended = connection.as_mut().expect("it has just begun") => {
            connection = None;
            match ended {
                Ok(()) => asking.await,
                Err(error) => Err(error),
            }
        }
    };
    let (parts, body) = response.map_err(Failure::Talk)?.into_parts();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
        connection,
    })
}

fn request(call: &Call) -> Request<Full<Bytes>> {
    let url = &call.url;
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = call.method.clone();
    // A URL is made of what a URI may hold.
    *request.uri_mut() = path.parse().unwrap_or_default();
    let headers = request.headers_mut();
    let host = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    for (name, value) in [
        (HOST, host),
        (CONNECTION, "close".to_owned()),
        (AUTHORIZATION, basic(url)),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value)
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    }
    headers.extend(call.headers.clone());
    request
}

/// User and password of an address; empty without.
fn basic(url: &Url) -> String {
    if url.username().is_empty() {
        return String::new();
    }
    let plain = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let mut account = plain(url.username());
    account.push(b':');
    account.extend(plain(url.password().unwrap_or_default()));
    let encoded = base64::engine::general_purpose::STANDARD.encode(account);
    format!("Basic {encoded}")
}

async fn read(mut answer: Answer) -> Result<Reply, hyper::Error> {
    let mut body = BytesMut::new();
    let mut is_cut = false;
    while let Some(data) = std::future::poll_fn(|context| answer.poll_data(context)).await {
        let data = data?;
        let room = MOST_BYTES - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        is_cut = data.len() > room;
        if is_cut {
            break;
        }
    }
    Ok(Reply {
        status: answer.status,
        headers: answer.headers,
        body: body.freeze(),
        is_cut,
    })
}
