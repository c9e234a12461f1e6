CREATE TABLE events (
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  occurred_at TEXT NOT NULL,
  actor TEXT NOT NULL,
  subject TEXT NOT NULL,
  header BLOB NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (seq)
) STRICT;

CREATE TABLE log_head (
  id INTEGER NOT NULL CHECK (id = 1),
  log_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  frontier BLOB NOT NULL,
  last_occurred_at TEXT NOT NULL,
  last_event_id TEXT NOT NULL,
  PRIMARY KEY (id)
) STRICT;

CREATE TABLE artifact_packages (
  package_id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  variant TEXT NOT NULL,
  version_sort_key TEXT NOT NULL,
  prerelease INTEGER NOT NULL CHECK (prerelease IN (0, 1)),
  status TEXT NOT NULL CHECK (status IN ('open', 'finalized', 'yanked', 'expired')),
  revision INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  created_seq INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  metadata_schema TEXT,
  retention_class TEXT NOT NULL,
  source TEXT,
  build TEXT,
  open_expires_at TEXT,
  finalized_at TEXT,
  finalized_seq INTEGER,
  manifest_digest TEXT,
  manifest_size INTEGER,
  file_count INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  yanked_at TEXT,
  yank_reason TEXT,
  -- Last, so that the other columns are read without it, however large it is.
  metadata BLOB,
  PRIMARY KEY (package_id)
) STRICT;

CREATE TABLE artifact_files (
  package_id TEXT NOT NULL,
  path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  media_type TEXT,
  executable INTEGER NOT NULL CHECK (executable IN (0, 1)),
  digest_algorithm TEXT NOT NULL,
  digest_primary BLOB NOT NULL,
  digest_sha256 BLOB NOT NULL,
  content_address TEXT NOT NULL,
  backend TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  added_seq INTEGER NOT NULL,
  PRIMARY KEY (package_id, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE objects (
  content_address TEXT NOT NULL,
  digest_algorithm TEXT NOT NULL,
  digest_primary BLOB NOT NULL,
  digest_sha256 BLOB NOT NULL,
  size_bytes INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  stored_at TEXT NOT NULL,
  PRIMARY KEY (content_address)
) STRICT, WITHOUT ROWID;

CREATE TABLE storage_locations (
  content_address TEXT NOT NULL,
  backend TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  retrieval_tier TEXT NOT NULL,
  restore_status TEXT NOT NULL,
  PRIMARY KEY (content_address, backend)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  tag TEXT NOT NULL,
  package_id TEXT NOT NULL,
  set_at TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_seq INTEGER NOT NULL,
  PRIMARY KEY (namespace, name, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE package_names (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  finalized_count INTEGER NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE retention_classes (
  name TEXT NOT NULL,
  duration_days INTEGER,
  defined_seq INTEGER NOT NULL,
  PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

CREATE TABLE retention_state (
  package_id TEXT NOT NULL,
  retention_class TEXT NOT NULL,
  expires_at TEXT,
  set_at TEXT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (package_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE retention_holds (
  hold_id TEXT NOT NULL,
  package_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  placed_at TEXT NOT NULL,
  placed_by TEXT NOT NULL,
  released_at TEXT,
  released_by TEXT,
  PRIMARY KEY (hold_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE metadata_schemas (
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  digest TEXT NOT NULL,
  registered_at TEXT NOT NULL,
  registered_by TEXT NOT NULL,
  schema BLOB NOT NULL,
  PRIMARY KEY (name, revision)
) STRICT;

CREATE TABLE object_leases (
  lease_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('process', 'object')),
  content_address TEXT NOT NULL,
  holder TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (lease_id, content_address)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
  actor TEXT NOT NULL,
  key TEXT NOT NULL,
  request_digest BLOB NOT NULL,
  response TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT;
-- The log is read in order, by type, by subject and by actor.
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_type ON events (type, seq);
CREATE INDEX events_subject ON events (subject, seq);
CREATE INDEX events_actor ON events (actor, seq);

-- Coordinates belong to the package that was finalized first.
CREATE UNIQUE INDEX artifact_packages_coordinates
  ON artifact_packages (namespace, name, version, variant) WHERE finalized_seq IS NOT NULL;
-- The highest release of a name is the last row of this index.
CREATE INDEX artifact_packages_latest
  ON artifact_packages (namespace, name, version_sort_key, finalized_seq)
  WHERE status = 'finalized' AND prerelease = 0;
-- All versions of a name, the highest last; many that are no semver share a sort key.
CREATE INDEX artifact_packages_versions
  ON artifact_packages (namespace, name, version_sort_key, finalized_seq)
  WHERE finalized_seq IS NOT NULL;
CREATE INDEX artifact_packages_listing
  ON artifact_packages (namespace, name, version_sort_key, variant, package_id);
-- Those that a list by status has to find among all that are finalized.
CREATE INDEX artifact_packages_status
  ON artifact_packages (status, namespace, name, version_sort_key, variant, package_id)
  WHERE status <> 'finalized';
CREATE UNIQUE INDEX artifact_packages_manifest
  ON artifact_packages (manifest_digest) WHERE manifest_digest IS NOT NULL;

CREATE INDEX artifact_files_object ON artifact_files (content_address);
CREATE INDEX objects_sha256 ON objects (digest_sha256);
CREATE INDEX tags_package ON tags (package_id);
-- Holds are listed by package, by whether they were released, and by both.
CREATE INDEX retention_holds_package ON retention_holds (package_id, hold_id);
CREATE INDEX retention_holds_active_package
  ON retention_holds (package_id, hold_id) WHERE released_at IS NULL;
CREATE INDEX retention_holds_active ON retention_holds (hold_id) WHERE released_at IS NULL;
CREATE INDEX retention_holds_released ON retention_holds (hold_id) WHERE released_at IS NOT NULL;
CREATE INDEX object_leases_expiry ON object_leases (expires_at);
CREATE INDEX object_leases_object ON object_leases (content_address);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
