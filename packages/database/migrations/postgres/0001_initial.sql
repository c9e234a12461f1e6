CREATE TABLE events (
  seq bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  occurred_at text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  header bytea NOT NULL,
  payload bytea NOT NULL,
  PRIMARY KEY (seq)
);

CREATE TABLE log_head (
  id bigint NOT NULL CHECK (id = 1),
  log_id text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL,
  frontier bytea NOT NULL,
  last_occurred_at text COLLATE "C" NOT NULL,
  last_event_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE artifact_packages (
  package_id text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  variant text COLLATE "C" NOT NULL,
  version_sort_key text COLLATE "C" NOT NULL,
  prerelease smallint NOT NULL CHECK (prerelease IN (0, 1)),
  status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'finalized', 'yanked', 'expired')),
  revision bigint NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  created_seq bigint NOT NULL,
  created_by text COLLATE "C" NOT NULL,
  metadata_schema text COLLATE "C",
  retention_class text COLLATE "C" NOT NULL,
  source text COLLATE "C",
  build text COLLATE "C",
  open_expires_at text COLLATE "C",
  finalized_at text COLLATE "C",
  finalized_seq bigint,
  manifest_digest text COLLATE "C",
  manifest_size bigint,
  file_count bigint NOT NULL,
  size_bytes bigint NOT NULL,
  yanked_at text COLLATE "C",
  yank_reason text COLLATE "C",
  -- Last, so that the other columns are read without it, however large it is.
  metadata bytea,
  PRIMARY KEY (package_id)
);

CREATE TABLE artifact_files (
  package_id text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL,
  media_type text COLLATE "C",
  executable smallint NOT NULL CHECK (executable IN (0, 1)),
  digest_algorithm text COLLATE "C" NOT NULL,
  digest_primary bytea NOT NULL,
  digest_sha256 bytea NOT NULL,
  content_address text COLLATE "C" NOT NULL,
  backend text COLLATE "C" NOT NULL,
  stored_at text COLLATE "C" NOT NULL,
  added_seq bigint NOT NULL,
  PRIMARY KEY (package_id, path)
);

CREATE TABLE objects (
  content_address text COLLATE "C" NOT NULL,
  digest_algorithm text COLLATE "C" NOT NULL,
  digest_primary bytea NOT NULL,
  digest_sha256 bytea NOT NULL,
  size_bytes bigint NOT NULL,
  first_seq bigint NOT NULL,
  stored_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (content_address)
);

CREATE TABLE storage_locations (
  content_address text COLLATE "C" NOT NULL,
  backend text COLLATE "C" NOT NULL,
  stored_at text COLLATE "C" NOT NULL,
  retrieval_tier text COLLATE "C" NOT NULL,
  restore_status text COLLATE "C" NOT NULL,
  PRIMARY KEY (content_address, backend)
);

CREATE TABLE tags (
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  tag text COLLATE "C" NOT NULL,
  package_id text COLLATE "C" NOT NULL,
  set_at text COLLATE "C" NOT NULL,
  set_by text COLLATE "C" NOT NULL,
  set_seq bigint NOT NULL,
  PRIMARY KEY (namespace, name, tag)
);

CREATE TABLE package_names (
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  updated_at text COLLATE "C" NOT NULL,
  finalized_count bigint NOT NULL,
  PRIMARY KEY (namespace, name)
);

CREATE TABLE retention_classes (
  name text COLLATE "C" NOT NULL,
  duration_days bigint,
  defined_seq bigint NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE retention_state (
  package_id text COLLATE "C" NOT NULL,
  retention_class text COLLATE "C" NOT NULL,
  expires_at text COLLATE "C",
  set_at text COLLATE "C" NOT NULL,
  set_by text COLLATE "C" NOT NULL,
  PRIMARY KEY (package_id)
);

CREATE TABLE retention_holds (
  hold_id text COLLATE "C" NOT NULL,
  package_id text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  placed_at text COLLATE "C" NOT NULL,
  placed_by text COLLATE "C" NOT NULL,
  released_at text COLLATE "C",
  released_by text COLLATE "C",
  PRIMARY KEY (hold_id)
);

CREATE TABLE metadata_schemas (
  name text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  digest text COLLATE "C" NOT NULL,
  registered_at text COLLATE "C" NOT NULL,
  registered_by text COLLATE "C" NOT NULL,
  schema bytea NOT NULL,
  PRIMARY KEY (name, revision)
);

CREATE TABLE object_leases (
  lease_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('process', 'object')),
  content_address text COLLATE "C" NOT NULL,
  holder text COLLATE "C" NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  expires_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (lease_id, content_address)
);

CREATE TABLE idempotency_keys (
  actor text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  request_digest bytea NOT NULL,
  response text COLLATE "C" NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  expires_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (actor, key)
);
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
