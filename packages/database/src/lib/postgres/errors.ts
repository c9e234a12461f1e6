/** PostgreSQL's errors in the words of Store. */
import { StoreError, isStoreError } from "@store/identity";

/** What the driver says of a statement that it did not send. */
const refusedByDriver = new Set(["MAX_PARAMETERS_EXCEEDED", "UNDEFINED_VALUE"]);

// SQLSTATE classes and codes: PostgreSQL documentation, appendix A.
const sessionEnded = /^(?:08|57P0|25P03|25P04)/;
const denied = /^(?:28|42501$|25006$)/;
const passing = /^(?:53|55P03$|40|57|58|3D000$)/;

/** Whether this error says that the connection is gone, so that nothing on it can be trusted. */
export function isConnectionLost(error: unknown): boolean {
  const code = isStoreError(error) ? undefined : codeOf(error);
  if (code === undefined || refusedByDriver.has(code)) return false;
  // Everything else that is no answer of the server comes from the socket, from TLS or from login.
  return isAnswer(error) ? sessionEnded.test(code) : true;
}

/** Serialization failure and deadlock: the same again may well succeed (appendix A, class 40). */
const conflicts = new Set(["40001", "40P01"]);

/** Whether a transaction was in the way of another one, or of what a standby replays. */
export function isPassingConflict(error: unknown): boolean {
  const code = codeOf(isStoreError(error) ? error.cause : error);
  return code !== undefined && conflicts.has(code);
}

/** Whether somebody else held a lock for longer than was waited for. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(isStoreError(error) ? error.cause : error) === "55P03";
}

/** Whether the server ended a statement because of its time, or because somebody asked it to. */
export function isCancelled(error: unknown): boolean {
  return codeOf(isStoreError(error) ? error.cause : error) === "57014";
}

/** Whether a server that only reads was asked to write: a standby, or one that was demoted. */
export function isReadOnly(error: unknown): boolean {
  return codeOf(isStoreError(error) ? error.cause : error) === "25006";
}

function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === "PostgresError";
}

/** The `StoreError` for an error of the driver; a `StoreError` is returned as it is. */
export function postgresError(error: unknown): StoreError {
  if (isStoreError(error)) return error;
  const code = codeOf(error);
  const detail = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  // The driver says so only after our own end of the client.
  if (code === "CONNECTION_ENDED") {
    return new StoreError("closed", "The database is closed.", cause);
  }
  if (code === "53100") {
    return new StoreError("storage_full", `PostgreSQL's disk is full (${detail}).`, cause);
  }
  if (code === "42P01" || code === "3F000") {
    return new StoreError(
      "schema_outdated",
      `A table of Store is missing (${detail}); migrate the database.`,
      cause,
    );
  }
  if (code !== undefined && isAnswer(error) && denied.test(code)) {
    return new StoreError(
      "permission_denied",
      `PostgreSQL refuses access (${detail}); check the user, its password and its rights.`,
      cause,
    );
  }
  if (code !== undefined && (isConnectionLost(error) || passing.test(code))) {
    return new StoreError(
      "database_unavailable",
      `PostgreSQL does not answer as it should (${detail}); try again.`,
      cause,
    );
  }
  return new StoreError("internal", `PostgreSQL refused a statement: ${detail}.`, cause);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
