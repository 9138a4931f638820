//! Every connector against the contract: the suites walk the registries, so that one that they do not know fails them.

mod breaks;
pub(crate) mod ends;
pub(crate) mod proxy;
mod values;
