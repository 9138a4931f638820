-- Ranges of business dates that are run again, and their runs. `spec`, `hold`, `aborted` and `needs` are JSON.
CREATE TABLE af_backfill (
  id BINARY(16) NOT NULL PRIMARY KEY,
  spec LONGTEXT NOT NULL,
  asked_by MEDIUMTEXT NOT NULL,
  reason MEDIUMTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  state BIGINT NOT NULL,
  hold LONGTEXT,
  aborted LONGTEXT,
  ended_at BIGINT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_backfill_run (
  backfill BINARY(16) NOT NULL,
  place BIGINT NOT NULL,
  workflow VARCHAR(255) NOT NULL,
  business_day BIGINT NOT NULL,
  fire_time BIGINT NOT NULL,
  needs LONGTEXT NOT NULL,
  state BIGINT NOT NULL,
  instance BINARY(16),
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (backfill, place)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
