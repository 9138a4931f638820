-- Removed instances whose output is still to be removed, beside the core loop.
CREATE TABLE af_log_sweep (
  instance BINARY(16) NOT NULL PRIMARY KEY
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- Old entries are found by their age, and those of an instance by the time in which it ran.
CREATE INDEX af_journal_by_time ON af_journal (written_at);
