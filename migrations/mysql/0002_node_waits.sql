-- The waits for a worker that the log of an instance tells of: JSON.
ALTER TABLE af_node ADD COLUMN waits LONGTEXT;
