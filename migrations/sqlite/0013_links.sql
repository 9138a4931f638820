-- Links that people made by API or command. `sealed` can be read only with the key that `key_id` names.
CREATE TABLE af_link (
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
