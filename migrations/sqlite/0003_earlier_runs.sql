-- How the runs went that a rerun has followed: JSON.
ALTER TABLE af_instance ADD COLUMN earlier TEXT;
