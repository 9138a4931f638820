-- What nodes hand on and the instances that they start; the values an instance has from those before it, and its parent.
ALTER TABLE af_node ADD COLUMN outputs LONGTEXT;
ALTER TABLE af_node ADD COLUMN child BINARY(16);
ALTER TABLE af_instance ADD COLUMN pinned LONGTEXT;
ALTER TABLE af_instance ADD COLUMN parent LONGTEXT;

-- Values that outlive the instances of a workflow.
CREATE TABLE af_state (
  workflow VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  content LONGTEXT NOT NULL,
  set_at BIGINT NOT NULL,
  instance BINARY(16),
  fire_time BIGINT,
  person MEDIUMTEXT NOT NULL,
  PRIMARY KEY (workflow, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
