-- What is known of each copy of an object: whether it was found whole, and until when a restored one
-- can be read.
ALTER TABLE storage_locations ADD COLUMN status TEXT NOT NULL DEFAULT 'ok';
ALTER TABLE storage_locations ADD COLUMN status_at TEXT;
ALTER TABLE storage_locations ADD COLUMN restored_until TEXT;

-- Backends that failed, or did and recovered.
CREATE TABLE storage_backends (
  backend TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('ok', 'failed')),
  reason TEXT,
  changed_at TEXT NOT NULL,
  PRIMARY KEY (backend)
) STRICT, WITHOUT ROWID;

-- How far a long piece of work has come, so that whoever goes on with it begins there.
CREATE TABLE work_positions (
  name TEXT NOT NULL,
  position TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
