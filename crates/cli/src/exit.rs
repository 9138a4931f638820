//! Exit codes.

use akkaflow_model::error::ErrorCode;

/// The definition has errors, or the instance that was waited for did not succeed.
pub(crate) const FAILED: u8 = 1;
/// What was typed is no command.
pub(crate) const USAGE: u8 = 2;

/// The exit code of an error code: one of its three total mappings.
///
/// 1 invalid, 3 not found, 4 not possible in this state, 5 unavailable, 6 outcome unknown, 7 forbidden, 8 too much at
/// once, 9 our fault. 2 is a wrong command line.
pub fn exit_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::Invalid => FAILED,
        ErrorCode::NotFound => 3,
        ErrorCode::Conflict => 4,
        ErrorCode::Unavailable => 5,
        ErrorCode::Timeout => 6,
        ErrorCode::Forbidden => 7,
        ErrorCode::Exhausted => 8,
        ErrorCode::Internal => 9,
    }
}
