-- Links that people made by API or command. `sealed` can be read only with the key that `key_id` names.
CREATE TABLE af_link (
  kind BIGINT NOT NULL,
  name VARCHAR(255) NOT NULL,
  key_id VARCHAR(64) NOT NULL,
  sealed LONGBLOB NOT NULL,
  changed_at BIGINT NOT NULL,
  changed_by MEDIUMTEXT NOT NULL,
  PRIMARY KEY (kind, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
