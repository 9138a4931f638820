//! What `proto/` generates plus conversions: wire types stop here.
//!
//! A master that does not lead answers every call with FAILED_PRECONDITION, so no error code maps to it.

mod backfill;
pub mod command;
pub mod links;
mod malformed;
pub mod worker;

pub use malformed::Malformed;

/// Generated from `proto/akkaflow.proto`.
#[expect(
    missing_docs,
    clippy::all,
    reason = "generated; the comments stand in the proto file"
)]
pub mod wire {
    tonic::include_proto!("akkaflow.v1");
}
