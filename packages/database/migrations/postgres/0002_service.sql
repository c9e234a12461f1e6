-- Words of package names, by which names are searched.
CREATE TABLE name_words (
  word text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  PRIMARY KEY (word, namespace, name)
);
-- Names are searched in one namespace too.
CREATE INDEX name_words_namespace ON name_words (namespace, word, name);

-- The words of the names that are there, as projecting gives them: what ".", "_" and "-" separate,
-- and the whole texts.
INSERT INTO name_words (word, namespace, name)
WITH names AS (
  SELECT DISTINCT namespace, name FROM artifact_packages
)
SELECT part.word, namespace, name
FROM names, regexp_split_to_table(namespace || '-' || name, '[._-]') AS part (word)
WHERE part.word <> ''
UNION SELECT namespace, namespace, name FROM names
UNION SELECT name, namespace, name FROM names;

CREATE TABLE users (
  user_id text COLLATE "C" NOT NULL,
  username text COLLATE "C" NOT NULL,
  password_hash text COLLATE "C" NOT NULL,
  scopes text COLLATE "C" NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  created_by text COLLATE "C" NOT NULL,
  password_changed_at text COLLATE "C" NOT NULL,
  disabled_at text COLLATE "C",
  PRIMARY KEY (user_id)
);
CREATE UNIQUE INDEX users_username ON users (username);

-- A login and its refresh tokens: each holds the secret of its session, by which an old one is told
-- from an invented one, and only the newest is accepted.
CREATE TABLE sessions (
  session_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  family_digest bytea NOT NULL,
  refresh_digest bytea NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  refreshed_at text COLLATE "C" NOT NULL,
  expires_at text COLLATE "C" NOT NULL,
  revoked_at text COLLATE "C",
  revoked_reason text COLLATE "C",
  PRIMARY KEY (session_id)
);
CREATE INDEX sessions_user ON sessions (user_id, session_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_tokens (
  token_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('api', 'setup')),
  user_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  token_digest bytea NOT NULL,
  scopes text COLLATE "C" NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  created_by text COLLATE "C" NOT NULL,
  expires_at text COLLATE "C",
  last_used_at text COLLATE "C",
  revoked_at text COLLATE "C",
  PRIMARY KEY (token_id)
);
CREATE UNIQUE INDEX api_tokens_digest ON api_tokens (token_digest);
CREATE INDEX api_tokens_user ON api_tokens (user_id, token_id);

CREATE TABLE signing_keys (
  key_id text COLLATE "C" NOT NULL,
  algorithm text COLLATE "C" NOT NULL,
  public_key text COLLATE "C" NOT NULL,
  private_key text COLLATE "C" NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  retired_at text COLLATE "C",
  PRIMARY KEY (key_id)
);

-- A ring: a new refusal takes the place of the oldest once every slot is used.
CREATE TABLE access_refusals (
  slot bigint NOT NULL,
  refusal_id text COLLATE "C" NOT NULL,
  refused_at text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  address text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  method text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (slot)
);
CREATE UNIQUE INDEX access_refusals_id ON access_refusals (refusal_id);

CREATE TABLE upload_sessions (
  upload_id text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'complete')),
  size_bytes bigint,
  offset_bytes bigint NOT NULL,
  backend text COLLATE "C" NOT NULL,
  staged_id text COLLATE "C",
  expected_address text COLLATE "C",
  metadata text COLLATE "C" NOT NULL,
  content_address text COLLATE "C",
  digest_sha256 bytea,
  created_at text COLLATE "C" NOT NULL,
  expires_at text COLLATE "C" NOT NULL,
  locked_by text COLLATE "C",
  locked_until text COLLATE "C",
  lock_wanted_at text COLLATE "C",
  PRIMARY KEY (upload_id)
);
CREATE INDEX upload_sessions_actor ON upload_sessions (actor, upload_id);
CREATE INDEX upload_sessions_expiry ON upload_sessions (expires_at);
-- How many are open, and what an actor's complete ones became.
CREATE INDEX upload_sessions_status ON upload_sessions (status, actor);
CREATE INDEX upload_sessions_object ON upload_sessions (content_address, actor);
CREATE INDEX upload_sessions_sha256 ON upload_sessions (digest_sha256, actor);
