import type { StoreErrorCode } from "@store/identity";

/**
 * The HTTP status of every error (RFC 9110 §15). Total on purpose: a new code does not compile
 * before it has its status.
 */
const statuses = {
  invalid_argument: 400,
  invalid_digest: 400,
  invalid_reference: 400,
  invalid_name: 400,
  invalid_path: 400,
  invalid_manifest: 422,
  invalid_cbor: 400,
  invalid_event: 500,
  invalid_json: 400,
  invalid_cursor: 400,
  invalid_range: 416,
  invalid_metadata: 422,
  invalid_schema: 422,
  limit_exceeded: 413,
  package_not_found: 404,
  file_not_found: 404,
  object_not_found: 404,
  tag_not_found: 404,
  schema_not_found: 404,
  hold_not_found: 404,
  retention_class_not_found: 404,
  staged_not_found: 404,
  instance_not_found: 503,
  ambiguous_reference: 409,
  package_exists: 409,
  package_finalized: 409,
  package_not_finalized: 409,
  package_changed: 409,
  path_conflict: 409,
  tag_conflict: 412,
  idempotency_conflict: 409,
  hold_conflict: 409,
  source_changed: 409,
  permission_denied: 403,
  digest_mismatch: 422,
  size_mismatch: 422,
  object_corrupt: 500,
  log_corrupt: 500,
  schema_too_new: 503,
  schema_outdated: 503,
  layout_unknown: 503,
  database_unavailable: 503,
  commit_unknown: 503,
  storage_unavailable: 503,
  storage_full: 507,
  address_unavailable: 503,
  unsupported: 501,
  // The client went away, so nobody reads it; what remains is a server that is shutting down.
  aborted: 503,
  closed: 503,
  internal: 500,
} as const satisfies Record<StoreErrorCode, number>;

/** The HTTP status that answers a {@link StoreErrorCode}. */
export function httpStatusOf(code: StoreErrorCode): (typeof statuses)[StoreErrorCode] {
  return statuses[code];
}
