//! Files at addresses of the web, which can be read only.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use akkaflow_model::file_links::{FileAccess, FileKind};
use akkaflow_model::text::Text;
use async_trait::async_trait;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_ENCODING, HeaderMap, LOCATION, TRANSFER_ENCODING};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::client::{Answer, Call, chain, send, system_roots};
use super::masks::Masks;
use super::{address, usual_headers};
use crate::bridge::Bridge;
use crate::connect::Options;
use crate::error::Error;
use crate::file::{Compression, Content};
use crate::file_system::{FileConnector, FileSystem};

/// Until the beginning of the answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Web;

#[async_trait]
impl FileConnector for Web {
    fn kind(&self) -> Option<FileKind> {
        None
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["http", "https"]
    }

    fn is_writable(&self) -> bool {
        false
    }

    async fn open(
        &self,
        _: Option<&FileAccess>,
        _: &Options,
    ) -> Result<Arc<dyn FileSystem>, Error> {
        // Each address has a host of its own.
        Ok(Arc::new(WebFiles))
    }
}

struct WebFiles;

#[async_trait]
impl FileSystem for WebFiles {
    fn name(&self, path: &str) -> String {
        let call = call(path);
        call.map_or_else(String::new, |call| Masks::of(&call).url(&call.url))
    }

    async fn content(
        self: Arc<Self>,
        path: &str,
        stop: CancellationToken,
    ) -> Result<Content, Error> {
        let call = call(path).ok_or_else(no_address)?;
        let masks = Masks::of(&call);
        let shown = masks.url(&call.url);
        let answer = ask(&call).await.map_err(|why| {
            Error::File(masks.text(&Text::new(
                format!("无法读取{shown}：{}", why.zh),
                format!("cannot read {shown}: {}", why.en),
            )))
        })?;
        if answer.status != 200 {
            return Err(Error::File(masks.text(&refused(&shown, &answer))));
        }
        let compression = compression(&call.url, &answer.headers, &shown)?;
        let length = answer.length();
        let is_end_known = length.is_some() || answer.headers.contains_key(TRANSFER_ENCODING);
        let note = (!is_end_known).then(|| unknown_end(&shown));
        let body = Body {
            answer,
            data: Bytes::new(),
        };
        let content = Content::new(shown, Bridge::new(body, stop), length);
        Ok(content.compressed(compression).noting(note))
    }
}

fn call(path: &str) -> Option<Call> {
    Some(Call {
        url: address(path)?,
        method: Method::GET,
        headers: usual_headers(),
        body: Bytes::new(),
    })
}

fn no_address() -> Error {
    Error::Configuration(Text::new(
        "源的网址不是有效的http或https地址",
        "the source is no address of http or https",
    ))
}

async fn ask(call: &Call) -> Result<Answer, Text> {
    match tokio::time::timeout(ANSWER_LIMIT, send(call, system_roots)).await {
        Ok(answer) => answer.map_err(|failure| failure.text()),
        Err(_) => {
            let seconds = ANSWER_LIMIT.as_secs();
            Err(Text::new(
                format!("{seconds}秒内没有应答"),
                format!("no answer within {seconds} s"),
            ))
        }
    }
}

/// The body of an answer.
struct Body {
    answer: Answer,
    /// What has come and is not read yet.
    data: Bytes,
}

impl AsyncRead for Body {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.data.is_empty() {
            match ready!(self.answer.poll_data(context)) {
                None => return Poll::Ready(Ok(())),
                Some(Ok(data)) => self.data = data,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(chain(&error)))),
            }
        }
        let count = self.data.len().min(buffer.remaining());
        buffer.put_slice(&self.data.split_to(count));
        Poll::Ready(Ok(()))
    }
}

/// What the end of the address says, else what the server says: nobody asked it to compress.
fn compression(url: &Url, headers: &HeaderMap, shown: &str) -> Result<Compression, Error> {
    let by_name = Compression::Auto.of(Path::new(url.path()));
    let named = headers.get(CONTENT_ENCODING).map(|it| it.as_bytes());
    match named {
        _ if by_name != Compression::None => Ok(by_name),
        None | Some(b"" | b"identity") => Ok(by_name),
        Some(b"gzip" | b"x-gzip") => Ok(Compression::Gzip),
        Some(b"zstd") => Ok(Compression::Zstd),
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            Err(Error::File(Text::new(
                format!("{shown}以{other}压缩，只支持gzip与zstd"),
                format!("{shown} is compressed by {other}: gzip and zstd are known"),
            )))
        }
    }
}

fn refused(shown: &str, answer: &Answer) -> Text {
    let status = answer.status;
    let location = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
    match location.filter(|_| (300..400).contains(&status)) {
        Some(to) => Text::new(
            format!("无法读取{shown}：应答状态码{status}，转向{to}，请直接使用该地址"),
            format!("cannot read {shown}: answered {status}, it leads to {to}, use that address"),
        ),
        None => Text::new(
            format!("无法读取{shown}：应答状态码{status}，期望200"),
            format!("cannot read {shown}: answered {status}, expected 200"),
        ),
    }
}

fn unknown_end(shown: &str) -> Text {
    Text::new(
        format!("{shown}的应答没有说明长度：连接中断无法与文件结束区分"),
        format!(
            "the answer of {shown} does not say how long it is: a connection that breaks off looks like the end of the file"
        ),
    )
}
