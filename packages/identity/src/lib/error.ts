/**
 * Every way in which Store refuses or fails, each with its meaning. The union is closed: HTTP
 * statuses, exit codes and `docs/errors.md` are held against it by tests.
 */
export const storeErrorCodes = {
  // The caller's input.
  invalid_argument: "An argument has the wrong type, shape or range.",
  invalid_digest: "A digest has the wrong length, an unknown algorithm or is not lowercase hex.",
  invalid_reference: "A reference does not follow the grammar.",
  invalid_name: "A namespace, name, version, variant or tag breaks its rule.",
  invalid_path: "A file path breaks the path rules.",
  invalid_manifest: "A manifest breaks its schema or its own invariants.",
  invalid_event: "An event, its header or its type breaks the rules of the log.",
  invalid_cbor: "Bytes are not canonical CBOR of the closed value model.",
  invalid_json: "A text is not JSON, or JSON of a shape that cannot be accepted.",
  invalid_cursor: "A pagination cursor was not issued by this list.",
  invalid_range: "A byte range does not lie within the object.",
  invalid_metadata: "Metadata does not satisfy its schema or its limits.",
  invalid_schema: "A metadata schema is not acceptable JSON Schema.",
  limit_exceeded: "A size, count or depth is above its limit.",
  invalid_password: "A password breaks the rules for passwords.",
  unsupported_media_type: "The request's body has a media type that is not taken here.",
  not_acceptable: "The answer has none of the media types that the request accepts.",
  // What is not there.
  package_not_found: "No package matches.",
  file_not_found: "The package has no file at that path.",
  object_not_found: "No object has that address.",
  tag_not_found: "No tag has that name.",
  schema_not_found: "No metadata schema has that name.",
  hold_not_found: "No hold has that id.",
  retention_class_not_found: "No retention class has that name.",
  staged_not_found: "Nothing is staged under that id.",
  upload_not_found: "No upload has that id; it may have ended or expired.",
  user_not_found: "No user has that name.",
  token_not_found: "No API token has that id.",
  route_not_found: "Nothing is served at that path.",
  instance_not_found: "There is no instance at that place.",
  ambiguous_reference: "Several packages match; the variants are named.",
  // What stands in the way.
  package_exists: "The coordinates belong to a finalized package.",
  package_finalized: "A finalized package accepts no change.",
  package_not_finalized: "The package is still open.",
  package_changed: "The package moved on while it was being finalized.",
  path_conflict: "The path is taken, or is a folder of another path.",
  tag_conflict: "The tag is not where the caller expected it.",
  idempotency_conflict: "The idempotency key was used with another request.",
  hold_conflict: "The hold is not in the state that the request needs.",
  source_changed: "A file changed while it was being read.",
  upload_conflict: "The upload is not at the offset or in the state that the request needs.",
  upload_locked: "Another request writes to the upload.",
  user_exists: "The username is taken.",
  restore_required: "The object lies in an archive and has to be restored before it can be read.",
  precondition_failed: "What the request made its condition does not hold.",
  method_not_allowed: "The path is served, but not with that method.",
  // Access.
  unauthenticated: "There is no credential, or one that is not accepted.",
  permission_denied: "The caller may not do this, or the system refuses the process access.",
  // Integrity.
  digest_mismatch: "Bytes do not have the declared digest.",
  size_mismatch: "Bytes do not have the declared size.",
  object_corrupt: "A stored object no longer has its digest or size.",
  log_corrupt: "The log, its head or a view contradicts the events.",
  // The surroundings.
  schema_too_new: "The database was written by newer code.",
  schema_outdated: "The database needs a migration first.",
  layout_unknown: "A storage root has a layout of an unknown version.",
  database_unavailable: "The database does not answer.",
  commit_unknown: "The database went away during COMMIT and the outcome could not be learnt.",
  storage_unavailable: "A backend fails or does not answer.",
  storage_full: "A backend has no space left.",
  rate_limited: "Too many requests or failures; wait before the next one.",
  request_timeout: "The request did not arrive in time.",
  address_unavailable: "The server cannot listen on the address or port.",
  unsupported: "The operation is not supported here.",
  aborted: "The caller gave up.",
  closed: "The instance is closed.",
  internal: "A defect in Store.",
} as const;

/** One of the closed set of error codes. */
export type StoreErrorCode = keyof typeof storeErrorCodes;

/** The one vocabulary in which errors name their circumstances. */
export interface StoreErrorContext {
  readonly reference?: string;
  readonly path?: string;
  readonly expected?: string | number | null;
  readonly actual?: string | number | null;
  readonly limit?: number;
  readonly candidates?: readonly string[];
}

/** How to construct a {@link StoreError}. */
export interface StoreErrorOptions {
  readonly cause?: unknown;
  readonly context?: StoreErrorContext;
}

/**
 * The only error that Store throws on purpose. The message says what was wrong, with which
 * input, and what to do; it never holds a secret.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly context: StoreErrorContext;

  constructor(code: StoreErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.context = Object.freeze({ ...options.context });
  }
}

/**
 * Whether `value` is a {@link StoreError}, and of `code` where one is given. Recognises those of
 * another copy of this package too, as a dependency tree or a bundle may hold several.
 */
export function isStoreError(value: unknown, code?: StoreErrorCode): value is StoreError {
  if (!(value instanceof Error) || value.name !== "StoreError" || !("code" in value)) return false;
  return code === undefined
    ? typeof value.code === "string" && Object.hasOwn(storeErrorCodes, value.code)
    : value.code === code;
}
