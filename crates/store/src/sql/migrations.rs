//! The book of done migrations.

use sqlx::migrate::Migrator;

/// Its table: our own, so that other tools in the same database keep theirs.
const TABLE: &str = "af_migrations";

/// A migrator that keeps its book in a table of our own.
///
/// A newer akkaflow may have gone before: its migrations only add, so that this version runs on them too.
pub(crate) fn own_migrator(embedded: &Migrator) -> Migrator {
    let mut migrator = Migrator::with_migrations(embedded.iter().cloned().collect());
    migrator.set_ignore_missing(true);
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
