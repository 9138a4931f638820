-- Why a slot was skipped.
ALTER TABLE af_fire ADD COLUMN reason INTEGER;

-- The business date of a success, counted in days from 0001-01-01 as day 1; before this version only its moment was known.
-- Held tokens are those that may still let something fire: rules that look back hold consumed ones too.
ALTER TABLE af_token ADD COLUMN business_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE af_token ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0;
UPDATE af_token SET
  business_day = business_at / 86400000 + 719163,
  is_held = consumed_by IS NULL;
CREATE INDEX af_token_held ON af_token (is_held) WHERE is_held = 1;

-- Calendars of workdays as their files said them last.
CREATE TABLE af_calendar (
  name TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  content TEXT NOT NULL,
  read_at INTEGER NOT NULL,
  is_file_gone INTEGER NOT NULL
);
