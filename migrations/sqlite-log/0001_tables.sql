-- Output of actions, in a file of its own: it may be large, and losing its last second in a power cut is bearable.

CREATE TABLE af_log_chunk (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  instance BLOB NOT NULL,
  node TEXT NOT NULL,
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  start_offset INTEGER NOT NULL,
  captured_at INTEGER NOT NULL,
  data BLOB NOT NULL,
  UNIQUE (instance, node, run, attempt, stream, start_offset)
);
CREATE INDEX af_log_chunk_by_instance ON af_log_chunk (instance);
