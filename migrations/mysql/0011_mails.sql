-- Mails that are owed, written once, and how the sending of each goes. `receivers`, `facts`, `accepted`, `refused` and `error`
-- are JSON.
CREATE TABLE af_mail (
  instance BINARY(16) NOT NULL,
  run BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  node VARCHAR(255) NOT NULL,
  attempt BIGINT NOT NULL,
  workflow VARCHAR(255) NOT NULL,
  born_at BIGINT NOT NULL,
  receivers LONGTEXT NOT NULL,
  facts LONGTEXT NOT NULL,
  PRIMARY KEY (instance, run, kind, node, attempt),
  KEY af_mail_by_birth (born_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE af_mail_delivery (
  instance BINARY(16) NOT NULL,
  run BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  node VARCHAR(255) NOT NULL,
  attempt BIGINT NOT NULL,
  state BIGINT NOT NULL,
  since BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  tried_at BIGINT,
  accepted LONGTEXT NOT NULL,
  refused LONGTEXT NOT NULL,
  error LONGTEXT,
  asked_by MEDIUMTEXT NOT NULL,
  PRIMARY KEY (instance, run, kind, node, attempt),
  KEY af_mail_delivery_by_turn (state, next_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
