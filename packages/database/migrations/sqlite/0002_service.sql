-- Words of package names, by which names are searched.
CREATE TABLE name_words (
  word TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (word, namespace, name)
) STRICT, WITHOUT ROWID;
-- Names are searched in one namespace too.
CREATE INDEX name_words_namespace ON name_words (namespace, word, name);

-- The words of the names that are there, as projecting gives them: what ".", "_" and "-" separate,
-- and the whole texts.
INSERT INTO name_words (word, namespace, name)
WITH RECURSIVE names AS (
  SELECT DISTINCT namespace, name FROM artifact_packages
), parts (word, namespace, name, rest) AS (
  SELECT '', namespace, name,
    replace(replace(namespace || '-' || name, '.', '-'), '_', '-') || '-'
  FROM names
  UNION ALL
  SELECT substr(rest, 1, instr(rest, '-') - 1), namespace, name,
    substr(rest, instr(rest, '-') + 1)
  FROM parts WHERE rest <> ''
)
SELECT word, namespace, name FROM parts WHERE word <> ''
UNION SELECT namespace, namespace, name FROM names
UNION SELECT name, namespace, name FROM names;

CREATE TABLE users (
  user_id TEXT NOT NULL,
  username TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  password_changed_at TEXT NOT NULL,
  disabled_at TEXT,
  PRIMARY KEY (user_id)
) STRICT;
CREATE UNIQUE INDEX users_username ON users (username);

-- A login and its refresh tokens: each holds the secret of its session, by which an old one is told
-- from an invented one, and only the newest is accepted.
CREATE TABLE sessions (
  session_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  family_digest BLOB NOT NULL,
  refresh_digest BLOB NOT NULL,
  created_at TEXT NOT NULL,
  refreshed_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  revoked_at TEXT,
  revoked_reason TEXT,
  PRIMARY KEY (session_id)
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, session_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_tokens (
  token_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('api', 'setup')),
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  token_digest BLOB NOT NULL,
  scopes TEXT NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at TEXT,
  last_used_at TEXT,
  revoked_at TEXT,
  PRIMARY KEY (token_id)
) STRICT;
CREATE UNIQUE INDEX api_tokens_digest ON api_tokens (token_digest);
CREATE INDEX api_tokens_user ON api_tokens (user_id, token_id);

CREATE TABLE signing_keys (
  key_id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  public_key TEXT NOT NULL,
  private_key TEXT NOT NULL,
  created_at TEXT NOT NULL,
  retired_at TEXT,
  PRIMARY KEY (key_id)
) STRICT;

-- A ring: a new refusal takes the place of the oldest once every slot is used.
CREATE TABLE access_refusals (
  slot INTEGER NOT NULL,
  refusal_id TEXT NOT NULL,
  refused_at TEXT NOT NULL,
  code TEXT NOT NULL,
  address TEXT NOT NULL,
  actor TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (slot)
) STRICT;
CREATE UNIQUE INDEX access_refusals_id ON access_refusals (refusal_id);

CREATE TABLE upload_sessions (
  upload_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'complete')),
  size_bytes INTEGER,
  offset_bytes INTEGER NOT NULL,
  backend TEXT NOT NULL,
  staged_id TEXT,
  expected_address TEXT,
  metadata TEXT NOT NULL,
  content_address TEXT,
  digest_sha256 BLOB,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  locked_by TEXT,
  locked_until TEXT,
  lock_wanted_at TEXT,
  PRIMARY KEY (upload_id)
) STRICT;
CREATE INDEX upload_sessions_actor ON upload_sessions (actor, upload_id);
CREATE INDEX upload_sessions_expiry ON upload_sessions (expires_at);
-- How many are open, and what an actor's complete ones became.
CREATE INDEX upload_sessions_status ON upload_sessions (status, actor);
CREATE INDEX upload_sessions_object ON upload_sessions (content_address, actor);
CREATE INDEX upload_sessions_sha256 ON upload_sessions (digest_sha256, actor);
