-- What is known of each copy of an object: whether it was found whole, and until when a restored one
-- can be read.
ALTER TABLE storage_locations ADD COLUMN status text COLLATE "C" NOT NULL DEFAULT 'ok';
ALTER TABLE storage_locations ADD COLUMN status_at text COLLATE "C";
ALTER TABLE storage_locations ADD COLUMN restored_until text COLLATE "C";

-- Backends that failed, or did and recovered.
CREATE TABLE storage_backends (
  backend text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CHECK (status IN ('ok', 'failed')),
  reason text COLLATE "C",
  changed_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (backend)
);

-- How far a long piece of work has come, so that whoever goes on with it begins there.
CREATE TABLE work_positions (
  name text COLLATE "C" NOT NULL,
  position text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  started_at text COLLATE "C" NOT NULL,
  updated_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (name)
);
