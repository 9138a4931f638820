-- Ranges of business dates that are run again, and their runs. `spec`, `hold`, `aborted` and `needs` are JSON.
CREATE TABLE af_backfill (
  id BLOB PRIMARY KEY,
  spec TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  hold TEXT,
  aborted TEXT,
  ended_at INTEGER
) WITHOUT ROWID;

CREATE TABLE af_backfill_run (
  backfill BLOB NOT NULL,
  place INTEGER NOT NULL,
  workflow TEXT NOT NULL,
  business_day INTEGER NOT NULL,
  fire_time INTEGER NOT NULL,
  needs TEXT NOT NULL,
  state INTEGER NOT NULL,
  instance BLOB,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (backfill, place)
) WITHOUT ROWID;
