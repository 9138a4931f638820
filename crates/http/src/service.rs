//! Binds, serves, stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Text;
use akkaflow_store::Store;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::definitions::{Actions, Definitions};
use crate::failure::Failure;
use crate::guard::Guard;
use crate::options::Options;
use crate::{body, guard, health, language, legacy, v1};

/// How long requests that have begun may go on after the stop.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why it cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is in use, not ours, or no address.
    #[error(
        "cannot listen on {address}; if another process listens there, stop it or choose another address with --http (key http.listen) / 无法监听该地址，请停止占用它的进程，或用--http（配置项http.listen）更换"
    )]
    Bind {
        /// As configured.
        address: String,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// Everybody on the network could run scripts.
    #[error(
        "refusing to serve on {0}, which is no loopback address: without TLS and passwords everybody who reaches it could run scripts; listen on 127.0.0.1 and put an authenticating proxy before it / 拒绝监听非本机地址：尚无TLS和身份认证，请监听127.0.0.1"
    )]
    NotLoopback(SocketAddr),
    /// The listener broke.
    #[error("serving HTTP failed / HTTP服务异常终止")]
    Serve(#[source] std::io::Error),
}

/// An http-server that is bound and waits to be run.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl Service {
    /// Takes the address; `actions` are those that definitions may use.
    ///
    /// # Errors
    /// [`Error::Bind`], [`Error::NotLoopback`].
    pub async fn bind(
        options: Options,
        store: Arc<dyn Store>,
        actions: Actions,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Bind {
            address: options.listen.clone(),
            source,
        };
        let listener = TcpListener::bind(&options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let guard = Arc::new(Guard::new(address.ip(), &options.allowed_hosts));
        let app = Arc::new(App::new(options, store, Definitions::new(actions)));
        Ok(Self {
            listener,
            address,
            router: router(app, guard),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` fires, then lets begun requests end.
    ///
    /// # Errors
    /// [`Error::Serve`].
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let listener = self.listener.tap_io(|stream| {
            // A small answer must not wait for the acknowledgement of the one before; if it cannot be set, it does.
            let _ = stream.set_nodelay(true);
        });
        let served = axum::serve(listener, self.router)
            .with_graceful_shutdown(shutdown.clone().cancelled_owned());
        tokio::select! {
            ended = served.into_future() => ended.map_err(Error::Serve),
            () = async { shutdown.cancelled().await; tokio::time::sleep(FAREWELL).await } => Ok(()),
        }
    }
}

fn router(app: Arc<App>, guard: Arc<Guard>) -> Router {
    Router::new()
        .merge(health::routes())
        .nest("/api/v1", v1::routes())
        .nest("/akkaflow", legacy::routes())
        .fallback(async || {
            Failure::new(
                ErrorCode::NotFound,
                Text::new("没有这个地址", "there is nothing at this address"),
            )
        })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&app), body::read_whole))
        .layer(axum::middleware::from_fn_with_state(guard, guard::check))
        .layer(from_fn_with_state(Arc::clone(&app), language::speak))
        .layer(map_response(harden))
        .with_state(app)
}

/// No answer is sniffed, framed or kept by a cache.
async fn harden(mut response: Response) -> Response {
    use axum::http::{HeaderValue, header};
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
