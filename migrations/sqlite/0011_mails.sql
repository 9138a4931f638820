-- Mails that are owed, written once, and how the sending of each goes. `receivers`, `facts`, `accepted`, `refused` and `error`
-- are JSON.
CREATE TABLE af_mail (
  instance BLOB NOT NULL,
  run INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  node TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  workflow TEXT NOT NULL,
  born_at INTEGER NOT NULL,
  receivers TEXT NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (instance, run, kind, node, attempt)
);
CREATE INDEX af_mail_by_birth ON af_mail (born_at);

CREATE TABLE af_mail_delivery (
  instance BLOB NOT NULL,
  run INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  node TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  state INTEGER NOT NULL,
  since INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  tried_at INTEGER,
  accepted TEXT NOT NULL,
  refused TEXT NOT NULL,
  error TEXT,
  asked_by TEXT NOT NULL,
  PRIMARY KEY (instance, run, kind, node, attempt)
) WITHOUT ROWID;
CREATE INDEX af_mail_delivery_by_turn ON af_mail_delivery (state, next_at);
