-- Schema version 1. What each column is for and how long it stays is listed in crates/server/holdings.toml.
--
-- No row may tell when, or after which other row, it was written: tables are ordered by random names, or by
-- id = hour * 2^40 + 40 random bits. Unsigned 64-bit numbers are kept as the signed number of the same bits.
--
-- There are three exceptions. The desk's log is one: who did what at the desk, and when, in this order, is all it is for.
-- How the safety rules changed is another: it is published, and tells of nobody.
--
-- The three tables of the key directory are the third. A directory is public and dated by nature: whoever knows a
-- handle may ask when its entries came, and anyone may ask when each epoch was published. So these rows tell to the
-- epoch (ten seconds) when an account began, changed its devices or ended. Nothing in them tells of mail.

CREATE TABLE account (
  id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  app           TEXT    NOT NULL,
  handle        TEXT    NOT NULL UNIQUE,
  age_band      INTEGER NOT NULL,
  role          TEXT    NOT NULL,
  state         INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
  until_day     INTEGER NOT NULL,
  held          INTEGER NOT NULL CHECK (held IN (0, 1)),
  language      TEXT    NOT NULL,
  created_day   INTEGER NOT NULL,
  last_seen_day INTEGER NOT NULL,
  person        BLOB    NOT NULL,
  guardian      BLOB    NOT NULL CHECK (length(guardian) IN (0, 32))
) STRICT, WITHOUT ROWID;

-- Outlives the account, so that a handle is never issued again.
CREATE TABLE used_skeleton (
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_link (
  account   BLOB    NOT NULL,
  seq       INTEGER NOT NULL,
  body      BLOB    NOT NULL,
  signature BLOB    NOT NULL,
  ended_day INTEGER NOT NULL DEFAULT 0,
  person    BLOB    NOT NULL DEFAULT x'',
  PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;
-- Only ended chains are in it, so that a sweep looks at no other.
CREATE INDEX chain_link_by_end ON chain_link (ended_day) WHERE ended_day > 0;

CREATE TABLE mailbox (
  device    BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 16),
  account   BLOB    NOT NULL,
  first_seq INTEGER NOT NULL,
  next_seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_by_account ON mailbox (account);

CREATE TABLE queue_key (
  device BLOB NOT NULL PRIMARY KEY CHECK (length(device) = 16),
  sealed BLOB NOT NULL
) STRICT;

CREATE TABLE entry (
  id       INTEGER NOT NULL PRIMARY KEY,
  device   BLOB    NOT NULL,
  seq      INTEGER NOT NULL,
  hour_key INTEGER NOT NULL,
  sealed   BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_by_device ON entry (device, seq);

CREATE TABLE hour_key (
  id           INTEGER NOT NULL PRIMARY KEY,
  device       BLOB    NOT NULL,
  key_id       INTEGER NOT NULL,
  encapsulated BLOB    NOT NULL,
  sealed       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX hour_key_by_device ON hour_key (device, key_id);

CREATE TABLE address (
  hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  sealed   BLOB    NOT NULL,
  dead_day INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
-- Only deleted addresses are in it, so that a sweep looks at no other.
CREATE INDEX address_by_death ON address (dead_day) WHERE dead_day > 0;

CREATE TABLE head (
  room       BLOB    NOT NULL PRIMARY KEY CHECK (length(room) = 32),
  epoch      INTEGER NOT NULL,
  token_hash BLOB    NOT NULL,
  seq        INTEGER NOT NULL,
  stamp_hash BLOB    NOT NULL,
  month      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX head_by_month ON head (month);

CREATE TABLE tombstone (
  room BLOB NOT NULL PRIMARY KEY CHECK (length(room) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
  id     INTEGER NOT NULL PRIMARY KEY,
  key    BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),
  sealed BLOB    NOT NULL
) STRICT;

CREATE TABLE key_package (
  id          INTEGER NOT NULL PRIMARY KEY,
  device      BLOB    NOT NULL,
  last_resort INTEGER NOT NULL CHECK (last_resort IN (0, 1)),
  sealed      BLOB    NOT NULL
) STRICT;
CREATE INDEX key_package_by_device ON key_package (device, last_resort);

CREATE TABLE block (
  tag BLOB NOT NULL PRIMARY KEY CHECK (length(tag) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  hash   BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  day    INTEGER NOT NULL,
  sealed BLOB    NOT NULL,
  noise  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_by_day ON token (day);

CREATE TABLE invite (
  hash          BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  uses          INTEGER NOT NULL,
  sets_age_band INTEGER NOT NULL CHECK (sets_age_band IN (0, 1)),
  age_band      INTEGER NOT NULL,
  for_one       INTEGER NOT NULL CHECK (for_one IN (0, 1)),
  expires_day   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE payload (
  id     INTEGER NOT NULL PRIMARY KEY,
  name   BLOB    NOT NULL UNIQUE CHECK (length(name) = 32),
  sealed BLOB    NOT NULL
) STRICT;

-- The tree, as akd keeps it: under hashes, never a handle.
CREATE TABLE directory_record (
  key   BLOB NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE directory_root (
  epoch     INTEGER NOT NULL PRIMARY KEY,
  body      BLOB    NOT NULL,
  signature BLOB    NOT NULL,
  proof     BLOB    NOT NULL
) STRICT;

-- What is promised and not published yet. The entry itself is made from the sigchain.
CREATE TABLE directory_pending (
  account   BLOB    NOT NULL PRIMARY KEY CHECK (length(account) = 16),
  due_epoch INTEGER NOT NULL,
  by_epoch  INTEGER NOT NULL,
  made_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX directory_pending_by_promise ON directory_pending (by_epoch);

-- Cases and reports: how many, how urgent, from which hour. About whom and what is sealed, or under a keyed hash.
CREATE TABLE desk_case (
  id          INTEGER NOT NULL PRIMARY KEY,
  number      INTEGER NOT NULL UNIQUE,
  subject     BLOB    NOT NULL CHECK (length(subject) = 32),
  against     BLOB             CHECK (length(against) = 32),
  state       INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
  urgency     INTEGER NOT NULL,
  doubtful    INTEGER NOT NULL CHECK (doubtful IN (0, 1)),
  opened_hour INTEGER NOT NULL,
  day         INTEGER NOT NULL,
  sealed      BLOB    NOT NULL
) STRICT;
-- The queue is read along this one, and counted in it. (Were `number` the row's id, SQLite would not look it up here.)
CREATE INDEX desk_case_by_place ON desk_case (state, urgency, doubtful, opened_hour, number);
CREATE INDEX desk_case_by_subject ON desk_case (subject, day, number);
-- Only decided cases about groups are in it.
CREATE INDEX desk_case_by_against ON desk_case (against, day, number) WHERE against IS NOT NULL;
CREATE INDEX desk_case_by_day ON desk_case (day);

CREATE TABLE report (
  id          INTEGER NOT NULL PRIMARY KEY,
  tag         BLOB    NOT NULL UNIQUE CHECK (length(tag) = 32),
  case_number INTEGER NOT NULL,
  reporter    BLOB    NOT NULL CHECK (length(reporter) = 32),
  day         INTEGER NOT NULL,
  head        BLOB    NOT NULL,
  sealed      BLOB    NOT NULL
) STRICT;
CREATE INDEX report_by_case ON report (case_number, day);
CREATE INDEX report_by_reporter ON report (reporter, day);

CREATE TABLE reported (
  tag BLOB    NOT NULL PRIMARY KEY CHECK (length(tag) = 32),
  day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reported_by_day ON reported (day);

CREATE TABLE statement (
  id     INTEGER NOT NULL PRIMARY KEY,
  person BLOB    NOT NULL CHECK (length(person) = 32),
  day    INTEGER NOT NULL,
  sealed BLOB    NOT NULL
) STRICT;
CREATE INDEX statement_by_person ON statement (person, day);
CREATE INDEX statement_by_day ON statement (day);

-- Never deleted: a name in the log is one person's for ever.
CREATE TABLE desk_staff (
  name     TEXT    NOT NULL PRIMARY KEY,
  role     TEXT    NOT NULL,
  handle   BLOB    NOT NULL UNIQUE CHECK (length(handle) = 16),
  passkeys TEXT    NOT NULL,
  removed  INTEGER NOT NULL CHECK (removed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE desk_invite (
  hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  name       TEXT    NOT NULL,
  role       TEXT    NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What everybody may know: which safety rules were in force from which day on.
CREATE TABLE policy_change (
  seq  INTEGER NOT NULL PRIMARY KEY,
  day  INTEGER NOT NULL,
  hash BLOB    NOT NULL CHECK (length(hash) = 32),
  toml TEXT    NOT NULL
) STRICT;

-- Each line holds the hash of the line before it.
CREATE TABLE desk_log (
  seq  INTEGER NOT NULL PRIMARY KEY,
  line TEXT    NOT NULL,
  hash BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
