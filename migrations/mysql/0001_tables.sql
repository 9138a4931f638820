-- The facts of the cluster. Times are UTC milliseconds; long lists and reasons are JSON text.
-- `number` is the order of first writing: journal position and place in its batch.

CREATE TABLE af_lease (
  id TINYINT NOT NULL PRIMARY KEY,
  cluster BINARY(16) NOT NULL,
  epoch BIGINT NOT NULL,
  holder MEDIUMTEXT NOT NULL,
  incarnation BINARY(16) NOT NULL,
  endpoint MEDIUMTEXT NOT NULL,
  connections VARCHAR(255) NOT NULL,
  renew_seq BIGINT NOT NULL,
  renewed_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The primary key is the fence: whoever finds its position taken leads no more.
CREATE TABLE af_journal (
  seq BIGINT NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  batch BINARY(16) NOT NULL,
  kind SMALLINT NOT NULL,
  format SMALLINT NOT NULL,
  written_at DATETIME(6) NOT NULL,
  body LONGBLOB NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_workflow (
  name VARCHAR(255) NOT NULL PRIMARY KEY,
  version VARCHAR(128) NOT NULL,
  status TINYINT NOT NULL,
  dir MEDIUMTEXT NOT NULL,
  creator MEDIUMTEXT NOT NULL,
  description MEDIUMTEXT,
  file_path MEDIUMTEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_version (
  version VARCHAR(128) NOT NULL PRIMARY KEY,
  workflow VARCHAR(255) NOT NULL,
  xml LONGTEXT NOT NULL,
  created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_schedule (
  workflow VARCHAR(255) NOT NULL PRIMARY KEY,
  generation BIGINT NOT NULL,
  trigger_text MEDIUMTEXT NOT NULL,
  is_enabled TINYINT NOT NULL,
  fired_through BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_fire (
  workflow VARCHAR(255) NOT NULL,
  kind TINYINT NOT NULL,
  generation BIGINT NOT NULL,
  fire_key VARCHAR(128) NOT NULL,
  due_at BIGINT NOT NULL,
  state TINYINT NOT NULL,
  instance BINARY(16),
  through BIGINT,
  PRIMARY KEY (workflow, kind, generation, fire_key),
  KEY af_fire_by_due (workflow, due_at),
  KEY af_fire_waiting (state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_token (
  upstream_instance BINARY(16) NOT NULL,
  dependant VARCHAR(255) NOT NULL,
  upstream VARCHAR(255) NOT NULL,
  business_at BIGINT NOT NULL,
  given_at BIGINT NOT NULL,
  consumed_by BINARY(16),
  PRIMARY KEY (upstream_instance, dependant),
  KEY af_token_unconsumed (consumed_by, dependant)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_instance (
  id BINARY(16) NOT NULL PRIMARY KEY,
  workflow VARCHAR(255) NOT NULL,
  version VARCHAR(128) NOT NULL,
  run BIGINT NOT NULL,
  state TINYINT NOT NULL,
  trigger_kind TINYINT NOT NULL,
  fire_time BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  params LONGTEXT NOT NULL,
  message LONGTEXT,
  handled_errors TINYINT NOT NULL,
  ignore_nodes MEDIUMTEXT NOT NULL,
  ending TINYINT,
  chain BINARY(16),
  dir MEDIUMTEXT NOT NULL,
  creator MEDIUMTEXT NOT NULL,
  gave_tokens TINYINT NOT NULL,
  search VARCHAR(700) NOT NULL,
  KEY af_instance_by_state (state, created_at),
  KEY af_instance_by_workflow (workflow, created_at),
  KEY af_instance_by_creation (created_at),
  KEY af_instance_by_end (ended_at, state),
  KEY af_instance_by_search (search)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

CREATE TABLE af_node (
  instance BINARY(16) NOT NULL,
  node VARCHAR(255) NOT NULL,
  run BIGINT NOT NULL,
  type_name VARCHAR(255) NOT NULL,
  state TINYINT NOT NULL,
  attempts BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  losses BIGINT NOT NULL,
  ready_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  deadline BIGINT,
  retry_at BIGINT,
  message LONGTEXT,
  worker MEDIUMTEXT,
  number BIGINT NOT NULL,
  PRIMARY KEY (instance, node)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_attempt (
  instance BINARY(16) NOT NULL,
  node VARCHAR(255) NOT NULL,
  run BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  state TINYINT NOT NULL,
  worker MEDIUMTEXT NOT NULL,
  incarnation BIGINT NOT NULL,
  host MEDIUMTEXT NOT NULL,
  epoch BIGINT NOT NULL,
  assigned_at BIGINT NOT NULL,
  accepted_at BIGINT,
  ended_at BIGINT,
  cancel TINYINT,
  message LONGTEXT,
  exit_code BIGINT,
  log_length BIGINT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (instance, node, run, attempt),
  KEY af_attempt_open (state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_chain (
  root BINARY(16) NOT NULL PRIMARY KEY,
  remaining MEDIUMTEXT NOT NULL,
  started MEDIUMTEXT NOT NULL,
  fire_time BIGINT NOT NULL,
  is_over TINYINT NOT NULL,
  KEY af_chain_open (is_over)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Keys of any length are found by their SHA-256.
CREATE TABLE af_request (
  key_hash BINARY(32) NOT NULL PRIMARY KEY,
  request_key MEDIUMTEXT NOT NULL,
  body_hash MEDIUMTEXT NOT NULL,
  instance BINARY(16) NOT NULL,
  requested_at BIGINT NOT NULL,
  KEY af_request_by_time (requested_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_file_problem (
  path_hash BINARY(32) NOT NULL PRIMARY KEY,
  path MEDIUMTEXT NOT NULL,
  workflow MEDIUMTEXT,
  found_at BIGINT NOT NULL,
  findings LONGTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_setting (
  name VARCHAR(255) NOT NULL PRIMARY KEY,
  content MEDIUMTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_log_chunk (
  number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance BINARY(16) NOT NULL,
  node VARCHAR(255) NOT NULL,
  run BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  stream TINYINT NOT NULL,
  start_offset BIGINT NOT NULL,
  captured_at BIGINT NOT NULL,
  data LONGBLOB NOT NULL,
  UNIQUE KEY af_log_chunk_once (instance, node, run, attempt, stream, start_offset),
  KEY af_log_chunk_by_instance (instance, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
