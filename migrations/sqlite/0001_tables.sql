-- The facts of the cluster. Times are UTC milliseconds; long lists and reasons are JSON text.
-- `number` is the order of first writing: journal position and place in its batch.

CREATE TABLE af_lease (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  cluster BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  holder TEXT NOT NULL,
  incarnation BLOB NOT NULL,
  endpoint TEXT NOT NULL,
  connections TEXT NOT NULL,
  renew_seq INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL
);

-- The primary key is the fence: whoever finds its position taken leads no more.
CREATE TABLE af_journal (
  seq INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  batch BLOB NOT NULL,
  kind INTEGER NOT NULL,
  format INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  body BLOB NOT NULL
);

CREATE TABLE af_workflow (
  name TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  status INTEGER NOT NULL,
  dir TEXT NOT NULL,
  creator TEXT NOT NULL,
  description TEXT,
  file_path TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE af_version (
  version TEXT PRIMARY KEY,
  workflow TEXT NOT NULL,
  xml TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE TABLE af_schedule (
  workflow TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  trigger_text TEXT NOT NULL,
  is_enabled INTEGER NOT NULL,
  fired_through INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE af_fire (
  workflow TEXT NOT NULL,
  kind INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  fire_key TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  instance BLOB,
  through INTEGER,
  PRIMARY KEY (workflow, kind, generation, fire_key)
) WITHOUT ROWID;
CREATE INDEX af_fire_by_due ON af_fire (workflow, due_at);
CREATE INDEX af_fire_waiting ON af_fire (state) WHERE state = 0;

CREATE TABLE af_token (
  upstream_instance BLOB NOT NULL,
  dependant TEXT NOT NULL,
  upstream TEXT NOT NULL,
  business_at INTEGER NOT NULL,
  given_at INTEGER NOT NULL,
  consumed_by BLOB,
  PRIMARY KEY (upstream_instance, dependant)
) WITHOUT ROWID;
CREATE INDEX af_token_unconsumed ON af_token (dependant) WHERE consumed_by IS NULL;

CREATE TABLE af_instance (
  id BLOB PRIMARY KEY,
  workflow TEXT NOT NULL,
  version TEXT NOT NULL,
  run INTEGER NOT NULL,
  state INTEGER NOT NULL,
  trigger_kind INTEGER NOT NULL,
  fire_time INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  params TEXT NOT NULL,
  message TEXT,
  handled_errors INTEGER NOT NULL,
  ignore_nodes TEXT NOT NULL,
  ending INTEGER,
  chain BLOB,
  dir TEXT NOT NULL,
  creator TEXT NOT NULL,
  gave_tokens INTEGER NOT NULL,
  search TEXT NOT NULL
);
CREATE INDEX af_instance_by_state ON af_instance (state, created_at);
CREATE INDEX af_instance_by_workflow ON af_instance (workflow, created_at);
CREATE INDEX af_instance_by_creation ON af_instance (created_at);
CREATE INDEX af_instance_by_end ON af_instance (ended_at, state);
CREATE INDEX af_instance_by_search ON af_instance (search);

CREATE TABLE af_node (
  instance BLOB NOT NULL,
  node TEXT NOT NULL,
  run INTEGER NOT NULL,
  type_name TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  losses INTEGER NOT NULL,
  ready_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  deadline INTEGER,
  retry_at INTEGER,
  message TEXT,
  worker TEXT,
  number INTEGER NOT NULL,
  PRIMARY KEY (instance, node)
) WITHOUT ROWID;

CREATE TABLE af_attempt (
  instance BLOB NOT NULL,
  node TEXT NOT NULL,
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  state INTEGER NOT NULL,
  worker TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  host TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  assigned_at INTEGER NOT NULL,
  accepted_at INTEGER,
  ended_at INTEGER,
  cancel INTEGER,
  message TEXT,
  exit_code INTEGER,
  log_length INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (instance, node, run, attempt)
) WITHOUT ROWID;
CREATE INDEX af_attempt_open ON af_attempt (state) WHERE state < 3;

CREATE TABLE af_chain (
  root BLOB PRIMARY KEY,
  remaining TEXT NOT NULL,
  started TEXT NOT NULL,
  fire_time INTEGER NOT NULL,
  is_over INTEGER NOT NULL
);
CREATE INDEX af_chain_open ON af_chain (is_over) WHERE is_over = 0;

-- Keys of any length are found by their SHA-256.
CREATE TABLE af_request (
  key_hash BLOB PRIMARY KEY,
  request_key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  instance BLOB NOT NULL,
  requested_at INTEGER NOT NULL
);
CREATE INDEX af_request_by_time ON af_request (requested_at);

CREATE TABLE af_file_problem (
  path_hash BLOB PRIMARY KEY,
  path TEXT NOT NULL,
  workflow TEXT,
  found_at INTEGER NOT NULL,
  findings TEXT NOT NULL
);

CREATE TABLE af_setting (
  name TEXT PRIMARY KEY,
  content TEXT NOT NULL
) WITHOUT ROWID;

-- Instances that are deleted here and whose output in the log file is still to be removed.
CREATE TABLE af_log_sweep (
  instance BLOB PRIMARY KEY
) WITHOUT ROWID;
