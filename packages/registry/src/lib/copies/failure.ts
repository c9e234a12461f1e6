import { isStoreError, type StoreError, type StoreErrorCode } from "@store/identity";

/** A failure with the backend that it is of, on its way to whoever decides what it means. */
export class BackendFailure extends Error {
  override readonly name = "BackendFailure";
  readonly backend: string;
  readonly failure: StoreError;

  constructor(backend: string, failure: StoreError) {
    super(failure.message, { cause: failure });
    this.backend = backend;
    this.failure = failure;
  }
}

/** What a backend answers; says of a failure which backend it is of. */
export async function at<T>(backend: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw failureAt(backend, error);
  }
}

/** A failure that is the backend's; giving up and defects are nobody's. */
export function failureAt(backend: string, error: unknown): unknown {
  if (!isStoreError(error) || error.code === "aborted" || error.code === "internal") return error;
  return new BackendFailure(backend, error);
}

/** Failures that say something of one object, and nothing of the backend. */
const ofOneObject: ReadonlySet<StoreErrorCode> = new Set([
  "digest_mismatch",
  "object_corrupt",
  "object_not_found",
  "precondition_failed",
  "restore_required",
  "size_mismatch",
  "staged_not_found",
  "unsupported",
]);

/** Failures that the next object will meet as well. */
const ofAllObjects: ReadonlySet<StoreErrorCode> = new Set(["closed", "storage_full"]);

/** Whom a failure is of: an object, a backend, or either. */
export function reachOf({ failure }: BackendFailure): "object" | "backend" | "unknown" {
  if (ofOneObject.has(failure.code)) return "object";
  return ofAllObjects.has(failure.code) ? "backend" : "unknown";
}
