-- What people did to an instance while it was open: JSON.
ALTER TABLE af_instance ADD COLUMN interventions TEXT;
