-- Who holds what up, JSON; which nodes need not run, JSON; pools and what holds for the whole cluster.
ALTER TABLE af_workflow ADD COLUMN hold TEXT;
ALTER TABLE af_instance ADD COLUMN hold TEXT;
ALTER TABLE af_instance ADD COLUMN marks TEXT;
ALTER TABLE af_instance ADD COLUMN asked_by TEXT;

CREATE TABLE af_cluster (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  frozen TEXT
);

-- A removed pool has no slots.
CREATE TABLE af_pool (
  name TEXT PRIMARY KEY,
  slots INTEGER,
  changed_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
