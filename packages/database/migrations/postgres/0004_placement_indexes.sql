-- compatible-from: 3
-- outside-transaction
-- The copies of one backend, in order of address, and those of them that are not whole.
CREATE INDEX CONCURRENTLY storage_locations_backend ON storage_locations (backend, content_address);
CREATE INDEX CONCURRENTLY storage_locations_failed
  ON storage_locations (backend, content_address) WHERE status <> 'ok';
-- The copies that were asked for from an archive, or were restored for a time.
CREATE INDEX CONCURRENTLY storage_locations_restoring
  ON storage_locations (backend, content_address) WHERE restore_status <> 'none';
