//! What `proto/` generates plus conversions: wire types stop here.

/// Generated from `proto/akkaflow.proto`.
#[expect(
    missing_docs,
    clippy::all,
    reason = "generated; the comments stand in the proto file"
)]
pub mod wire {
    tonic::include_proto!("akkaflow.v1");
}
