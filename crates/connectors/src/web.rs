//! The web: calls over HTTP, and files at addresses of it.

mod client;
mod file_system;
mod masks;

use hyper::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};
use url::Url;

pub use client::{Call, Failure, MOST_BYTES, Reply, Roots, ask, system_roots};
pub(crate) use file_system::Web;
pub use masks::Masks;

/// What we call ourselves, unless the request says otherwise.
const AGENT: &str = concat!("akkaflow/", env!("CARGO_PKG_VERSION"));

/// An address that can be asked.
pub fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// What every request says, unless it says otherwise.
pub fn usual_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers
}

#[cfg(test)]
mod tests;
