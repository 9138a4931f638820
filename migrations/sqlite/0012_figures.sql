-- What an attempt used and measured: JSON.
ALTER TABLE af_attempt ADD COLUMN figures TEXT;
