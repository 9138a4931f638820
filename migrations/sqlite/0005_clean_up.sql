-- How far the clean-up of an instance's run has come: JSON; NULL before it.
ALTER TABLE af_instance ADD COLUMN clean_up TEXT;
