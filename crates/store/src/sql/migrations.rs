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

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;

    static FACTS: Migrator = sqlx::migrate!("../../migrations/sqlite");

    /// Two branches of the work took their numbers side by side: the lower one may come later.
    #[tokio::test]
    async fn tables_without_a_lower_number_get_it_too() {
        let mut tables = SqliteConnection::connect(":memory:").await.unwrap();
        let without = FACTS.iter().filter(|it| it.version != 6).cloned();
        let older = Migrator::with_migrations(without.collect());
        own_migrator(&older).run(&mut tables).await.unwrap();
        let states = "SELECT count(*) FROM af_state";
        assert!(sqlx::query(states).execute(&mut tables).await.is_err());
        own_migrator(&FACTS).run(&mut tables).await.unwrap();
        sqlx::query(states).execute(&mut tables).await.unwrap();
        // And the next start finds nothing left to do.
        own_migrator(&FACTS).run(&mut tables).await.unwrap();
    }
}
