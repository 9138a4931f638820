//! Why a master cannot go on.

/// Why a master cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process listens there.
    #[error(
        "cannot listen on {address}; if another akkaflow runs there, stop it or choose another address with --listen (key master.listen) / 无法监听该地址，请停止占用它的进程，或用--listen（配置项master.listen）更换"
    )]
    Listen {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Only loopback addresses are allowed as yet.
    #[error(
        "{0} is not a loopback address; without TLS and authentication akkaflow serves 127.0.0.1 only / 仅允许监听本机回环地址"
    )]
    NotLoopback(String),
    /// The metadata store failed.
    #[error(transparent)]
    Store(#[from] akkaflow_store::Error),
    /// The masters of one cluster must agree on its time zone.
    #[error(
        "the cluster's time zone is {stored}, but this master is configured with {configured}; set time-zone to {stored} / 集群时区不一致，请将time-zone改为{stored}"
    )]
    TimeZone {
        /// What the cluster keeps.
        stored: String,
        /// What we were told.
        configured: String,
    },
    /// The gRPC server ended.
    #[error("the gRPC server ended")]
    Serve(#[source] tonic::transport::Error),
}
