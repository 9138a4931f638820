-- Who holds what up, JSON; which nodes need not run, JSON; pools and what holds for the whole cluster.
ALTER TABLE af_workflow ADD COLUMN hold LONGTEXT;
ALTER TABLE af_instance ADD COLUMN hold LONGTEXT;
ALTER TABLE af_instance ADD COLUMN marks LONGTEXT;
ALTER TABLE af_instance ADD COLUMN asked_by MEDIUMTEXT;

CREATE TABLE af_cluster (
  id INTEGER NOT NULL PRIMARY KEY,
  frozen LONGTEXT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A removed pool has no slots.
CREATE TABLE af_pool (
  name VARCHAR(255) NOT NULL PRIMARY KEY,
  slots BIGINT,
  changed_by MEDIUMTEXT NOT NULL,
  updated_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
