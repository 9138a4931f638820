-- Old entries are found by their age, and those of an instance by the time in which it ran.
CREATE INDEX af_journal_by_time ON af_journal (written_at);
