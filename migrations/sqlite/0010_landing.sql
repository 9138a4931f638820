-- By when an instance shall have ended, what its nodes usually take, and what was said of it: JSON.
ALTER TABLE af_instance ADD COLUMN landing TEXT;
