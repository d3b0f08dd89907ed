//! The tables of a profile. A column never changes its meaning; a new version adds a script.

/// Numbered scripts; `user_version` says how many have run.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- People and devices we know of, ourselves included: their sigchain as it was verified, and how the key directory
-- covers it: the newest entry that it proved (version 0: none), and the word that is still to be kept, if there is one.
CREATE TABLE contact (
  account BLOB NOT NULL PRIMARY KEY,
  handle TEXT NOT NULL,
  chain BLOB NOT NULL,
  blocked INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0,
  ended INTEGER NOT NULL DEFAULT 0,
  compared INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL DEFAULT 0,
  promise BLOB NOT NULL DEFAULT x'',
  -- When this device first saw that word, by its own clock.
  promised_ms INTEGER NOT NULL DEFAULT 0,
  check_ms INTEGER NOT NULL DEFAULT 0,
  -- The newest epoch that we had seen when a root that they saw was last looked into.
  asked_epoch INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_handle ON contact(handle);
CREATE INDEX contact_check ON contact(check_ms) WHERE check_ms > 0;

CREATE TABLE conversation (
  id INTEGER NOT NULL PRIMARY KEY,
  group_id BLOB NOT NULL UNIQUE,
  room BLOB NOT NULL,
  kind INTEGER NOT NULL,
  peer BLOB NOT NULL DEFAULT x'',
  name TEXT NOT NULL DEFAULT '',
  state INTEGER NOT NULL,
  introducer BLOB NOT NULL DEFAULT x'',
  intro_age INTEGER NOT NULL DEFAULT 0,
  intro_new INTEGER NOT NULL DEFAULT 0,
  intro_declined INTEGER NOT NULL DEFAULT 0,
  intro_reported INTEGER NOT NULL DEFAULT 0,
  intro_minors INTEGER NOT NULL DEFAULT 0,
  -- The friend who passed our connection token on to the introducer.
  intro_via BLOB NOT NULL DEFAULT x'',
  address BLOB NOT NULL,
  last_resort INTEGER NOT NULL DEFAULT 0,
  chain_next INTEGER NOT NULL DEFAULT 0,
  chain_prev BLOB NOT NULL DEFAULT x'',
  made_ms INTEGER NOT NULL,
  stuck_ms INTEGER NOT NULL DEFAULT 0,
  -- The newest epoch of the key directory that we named in it.
  gossiped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX conversation_peer ON conversation(peer);

-- What is shown, in the order it is shown: messages, gaps and notices.
CREATE TABLE item (
  id INTEGER NOT NULL PRIMARY KEY,
  conversation INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  message_id BLOB,
  sender BLOB NOT NULL DEFAULT x'',
  text TEXT NOT NULL DEFAULT '',
  sent_ms INTEGER NOT NULL DEFAULT 0,
  accepted_ms INTEGER NOT NULL DEFAULT 0,
  seq INTEGER NOT NULL DEFAULT 0,
  state INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  content BLOB NOT NULL DEFAULT x'',
  context BLOB NOT NULL DEFAULT x'',
  stamp BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE UNIQUE INDEX item_message ON item(conversation, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX item_place ON item(conversation, seq) WHERE seq > 0;
CREATE INDEX item_unread ON item(unread) WHERE unread = 1;

-- What took a place in a conversation and is no line with a stamp of its own: commits, events, what was hidden. With the
-- lines it makes the run without false gaps that a report is proven by.
CREATE TABLE stamped (
  conversation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  context BLOB NOT NULL,
  stamp BLOB NOT NULL,
  PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;

-- An id is never used twice: an answer that comes late must not meet another row.
CREATE TABLE outbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  conversation INTEGER NOT NULL,
  intent BLOB NOT NULL,
  item INTEGER NOT NULL DEFAULT 0,
  state INTEGER NOT NULL DEFAULT 0,
  submission BLOB NOT NULL DEFAULT x'',
  submit BLOB NOT NULL DEFAULT x'',
  blob_name BLOB NOT NULL DEFAULT x'',
  blob BLOB NOT NULL DEFAULT x'',
  not_before_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_submission ON outbox(submission);

-- Mailbox entries that wait for something, in the order they came.
CREATE TABLE held (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, group_id BLOB NOT NULL, entry BLOB NOT NULL) STRICT;
CREATE INDEX held_group ON held(group_id);

-- Key packages that we published: the address inside each, so that a Welcome's address is known to be ours.
CREATE TABLE offered (
  address BLOB NOT NULL PRIMARY KEY,
  reference BLOB NOT NULL,
  last_resort INTEGER NOT NULL,
  made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Small calls that must reach the server once more or less (they may be repeated), in order; but one that the server
-- puts off because there were too many of its kind keeps no other back.
CREATE TABLE call (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  frame BLOB NOT NULL,
  put_off INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Members who said that they leave and whose leaf is still there.
CREATE TABLE leaver (
  conversation INTEGER NOT NULL,
  account BLOB NOT NULL,
  PRIMARY KEY (conversation, account)
) STRICT, WITHOUT ROWID;

-- Contact codes that we gave out and that nobody used yet.
CREATE TABLE code (token BLOB NOT NULL PRIMARY KEY, made_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Connection tokens that we gave to friends and that were not used yet, with the last day that each is good (days since
-- 1970). One that a friend passed on was shown by somebody else, and still counts as one of theirs.
CREATE TABLE given_token (
  token BLOB NOT NULL PRIMARY KEY,
  friend BLOB NOT NULL,
  last_day INTEGER NOT NULL,
  passed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX given_friend ON given_token(friend);

-- Tokens of others that we hold: from their owner, or passed on by a friend. used_by: the outbox row that shows it, 0 for
-- none.
CREATE TABLE friend_token (
  owner BLOB NOT NULL,
  token BLOB NOT NULL,
  via BLOB NOT NULL,
  last_day INTEGER NOT NULL,
  used_by INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (owner, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX friend_via ON friend_token(via);
CREATE INDEX friend_used ON friend_token(used_by) WHERE used_by > 0;

-- Roots of the key directory that others saw, signed by it, that wait to be held against our own history: one of each
-- account, with the keys that it was signed with, and how often the service was asked in vain.
CREATE TABLE gossip (
  account BLOB NOT NULL PRIMARY KEY,
  epoch INTEGER NOT NULL,
  hash BLOB NOT NULL,
  signer INTEGER NOT NULL,
  signature BLOB NOT NULL,
  signers BLOB NOT NULL,
  turn_ms INTEGER NOT NULL,
  tried_ms INTEGER NOT NULL DEFAULT 0,
  denied INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  failing_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The last roots that were our newest.
CREATE TABLE past_root (
  epoch INTEGER NOT NULL PRIMARY KEY,
  hash BLOB NOT NULL,
  signer INTEGER NOT NULL,
  signature BLOB NOT NULL
) STRICT;

-- What the service was caught at, until and after the person has seen it.
CREATE TABLE alarm (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  made_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  about TEXT NOT NULL,
  text TEXT NOT NULL,
  evidence BLOB NOT NULL,
  seen INTEGER NOT NULL DEFAULT 0,
  -- How often the same came again before it was seen.
  repeats INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Reports of ours: whom or what about, the call until its answer came, and what the service last said of it.
CREATE TABLE report (
  id BLOB NOT NULL PRIMARY KEY,
  about TEXT NOT NULL,
  call BLOB NOT NULL DEFAULT x'',
  state BLOB NOT NULL DEFAULT x''
) STRICT, WITHOUT ROWID;

-- What came as a statement of the service, as it was signed. standing 0: the key is not known yet, and was not in the
-- directory at `epoch`; 1: it is the service's word to us; 2: it is not.
CREATE TABLE statement (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL,
  body BLOB NOT NULL,
  signer INTEGER NOT NULL,
  signature BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  standing INTEGER NOT NULL DEFAULT 0,
  UNIQUE (hash, signer, signature)
) STRICT;

-- Our guardian (role 1) or a child of ours (role 2), from the first word on. state 1: they ask; 2: we ask; 3: the hash of
-- the secret is on its way to the service; 4: linked; 5: over.
CREATE TABLE guardian (
  account BLOB NOT NULL PRIMARY KEY,
  role INTEGER NOT NULL,
  state INTEGER NOT NULL,
  -- Of our guardian: the hash of what allows us another age, of what will after that, and of what we told of our contacts.
  hash BLOB,
  next_hash BLOB,
  told BLOB,
  -- Of a child: what allows them another age, what will after that, and with whom they are in contact.
  secret BLOB,
  next_secret BLOB,
  contacts BLOB
) STRICT, WITHOUT ROWID;

-- What we asked our guardian, or a child asked us, and was not answered yet.
CREATE TABLE ask (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL,
  account BLOB NOT NULL,
  what BLOB NOT NULL,
  -- What the child is told about who comes.
  facts BLOB NOT NULL,
  -- Ours only: about whom, and which request it is about.
  subject BLOB,
  conversation INTEGER,
  -- In which chat it was asked.
  chat INTEGER NOT NULL,
  UNIQUE (account, id)
) STRICT;

-- Whom our guardian lets us be in contact with, beside those who were contacts already.
CREATE TABLE allowed (account BLOB NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Calls about our guardian and our age, in order; what they did is noted with their end.
CREATE TABLE errand (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, errand BLOB NOT NULL) STRICT;
"];
