-- What nodes hand on and the instances that they start; the values an instance has from those before it, and its parent.
ALTER TABLE af_node ADD COLUMN outputs TEXT;
ALTER TABLE af_node ADD COLUMN child BLOB;
ALTER TABLE af_instance ADD COLUMN pinned TEXT;
ALTER TABLE af_instance ADD COLUMN parent TEXT;

-- Values that outlive the instances of a workflow.
CREATE TABLE af_state (
  workflow TEXT NOT NULL,
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  instance BLOB,
  fire_time INTEGER,
  person TEXT NOT NULL,
  PRIMARY KEY (workflow, name)
) WITHOUT ROWID;
