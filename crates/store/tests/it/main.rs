//! Every store passes one suite; what only one of them does is tested beside it.

mod sqlite;
mod suite;
