//! Who may ask. There are no passwords on loopback, so a web page that somebody has open must not be able to call us:
//! neither across origins nor by a name that its owner points at 127.0.0.1.

use std::net::IpAddr;
use std::sync::Arc;

use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Text;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::failure::Failure;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names under which we may be called.
#[derive(Debug)]
pub(crate) struct Guard {
    names: Vec<String>,
}

impl Guard {
    pub(crate) fn new(bound: IpAddr, configured: &[String]) -> Self {
        let names = configured
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .chain([bound.to_string()])
            .collect();
        Self { names }
    }

    /// What is wrong with a request's headers; `None` when it may pass.
    fn objection(&self, host: Option<&str>, headers: &HeaderMap) -> Option<Text> {
        let Some(host) = host.filter(|host| self.allows(host_name(host))) else {
            return Some(foreign("Host", host.unwrap_or_default()));
        };
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            if !authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host)) {
                return Some(foreign("Origin", origin));
            }
        }
        let site = headers
            .get(SEC_FETCH_SITE)
            .map(|site| site.to_str().unwrap_or_default());
        match site {
            None | Some("same-origin" | "none") => None,
            Some(site) => Some(foreign("Sec-Fetch-Site", site)),
        }
    }

    fn allows(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        name == "localhost"
            || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            || self.names.contains(&name)
    }
}

/// Answers 403 to whoever may not ask.
pub(crate) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| {
            request
                .uri()
                .authority()
                .map(|authority| authority.as_str())
        });
    match guard.objection(host, headers) {
        Some(text) => Failure::new(ErrorCode::Forbidden, text).into_response(),
        None => next.run(request).await,
    }
}

/// `[::1]:8090` is `::1`, `localhost:8090` is `localhost`.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn foreign(header: &str, value: &str) -> Text {
    let value: String = value.chars().take(100).collect();
    Text::new(
        format!(
            "拒绝来自其他站点的请求（{header}: {value}）；请用本机地址访问，或在配置中加入允许的主机名"
        ),
        format!(
            "requests of foreign sites are refused ({header}: {value}); use a loopback address, or configure the host name as allowed"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(host: &str, headers: &[(HeaderName, &'static str)]) -> bool {
        let guard = Guard::new("127.0.0.1".parse().unwrap(), &["akka.corp".to_owned()]);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect();
        guard.objection(Some(host), &headers).is_none()
    }

    #[test]
    fn loopback_and_configured_names_pass() {
        for host in [
            "127.0.0.1:8090",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8090",
            "akka.corp:80",
            "127.0.0.53",
        ] {
            assert!(verdict(host, &[]), "{host}");
        }
    }

    #[test]
    fn foreign_names_are_refused() {
        for host in [
            "evil.example",
            "evil.example:8090",
            "",
            "127.0.0.1.evil.example",
            "10.0.0.1:8090",
        ] {
            assert!(!verdict(host, &[]), "{host}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let origin = |value| verdict("127.0.0.1:8090", &[(header::ORIGIN, value)]);
        assert!(origin("http://127.0.0.1:8090"));
        assert!(!origin("http://127.0.0.1:3000"));
        assert!(!origin("http://evil.example"));
        assert!(!origin("null"));
    }

    #[test]
    fn cross_site_fetches_are_refused_though_host_and_origin_look_right() {
        let site = |value| verdict("localhost:8090", &[(SEC_FETCH_SITE, value)]);
        assert!(site("same-origin"));
        assert!(site("none"));
        assert!(!site("cross-site"));
        assert!(!site("same-site"));
    }
}
