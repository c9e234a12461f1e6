import { isStoreError, StoreError, type StoreErrorCode } from "@store/identity";

const codeOfName: ReadonlyMap<string, StoreErrorCode> = new Map([
  ["NoSuchKey", "object_not_found"],
  ["NotFound", "object_not_found"],
  ["NoSuchBucket", "storage_unavailable"],
  ["NoSuchUpload", "staged_not_found"],
  ["InvalidObjectState", "restore_required"],
  ["QuotaExceeded", "storage_full"],
  ["InsufficientStorage", "storage_full"],
  ["XMinioStorageFull", "storage_full"],
  ["CredentialsProviderError", "permission_denied"],
  ["AbortError", "aborted"],
]);

const codeOfStatus: ReadonlyMap<number, StoreErrorCode> = new Map([
  [401, "permission_denied"],
  [403, "permission_denied"],
  [404, "object_not_found"],
  [507, "storage_full"],
]);

const remedies: Partial<Record<StoreErrorCode, string>> = {
  permission_denied: "Check the credentials and what the bucket's policy lets them do.",
  restore_required: "Ask for its restore, and read it once that is done.",
  storage_full: "A quota is used up: free space or raise it.",
  storage_unavailable: "Check the endpoint, the bucket and the network, then try again.",
};

/** Where the error's name says more than its code. */
const remedyOfName: ReadonlyMap<string, string> = new Map([
  ["NoSuchBucket", "There is no such bucket: create it, or correct its name."],
  ["AuthorizationHeaderMalformed", "Check the region: the bucket may be in another."],
  ["PermanentRedirect", "Check the region and the endpoint: the bucket is elsewhere."],
  ["InvalidAccessKeyId", "Check the access key: the store does not know it."],
  ["SignatureDoesNotMatch", "Check the secret access key: it is not that of the access key."],
  [
    "CredentialsProviderError",
    "No credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile.",
  ],
]);

/** What a failure may be tried again for, and what has to be done before. */
export type Retrial = "never" | "later" | "with new credentials" | "with the right time";

const staleCredentials: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidToken",
  "TokenRefreshRequired",
]);

/** Answers below 500 that say nothing against the request itself. */
const passing: ReadonlySet<string> = new Set([
  "BadDigest",
  "ConditionalRequestConflict",
  "IncompleteBody",
  "OperationAborted",
  "RequestTimeout",
  "RequestTimeTooSkewed",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "XAmzContentChecksumMismatch",
  "XAmzContentSHA256Mismatch",
]);

/** The name of an answer's error, such as `NoSuchKey`, or of another failure. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  // What has no body, as an answer to HEAD, is named after its status.
  if ("Code" in error && typeof error.Code === "string") return error.Code;
  return error.name;
}

/** The status of the answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return metadataOf(error).httpStatusCode;
}

interface AnswerMetadata {
  readonly httpStatusCode?: number;
  readonly requestId?: string;
  readonly clockSkewCorrected?: boolean;
}

function metadataOf(error: unknown): AnswerMetadata {
  if (!(error instanceof Error) || !("$metadata" in error)) return {};
  return error.$metadata ?? {};
}

/** Whether a request that failed so may be tried again. */
export function retrialOf(error: unknown): Retrial {
  if (isStoreError(error)) return "never";
  const name = nameOf(error);
  if (name === "AbortError" || name === "CredentialsProviderError") return "never";
  if (metadataOf(error).clockSkewCorrected === true) return "with the right time";
  if (staleCredentials.has(name)) return "with new credentials";
  const status = statusOf(error);
  if (passing.has(name)) return "later";
  // An answer to HEAD has no body to say that the credentials have expired.
  if (isWithoutBody(error) && (status === 400 || status === 403)) return "with new credentials";
  // An answer of 200 whose body breaks off is a failure of the network.
  if (status === undefined || status < 300 || status === 429) return "later";
  return status >= 500 && status !== 501 && status !== 507 ? "later" : "never";
}

function isWithoutBody(error: unknown): boolean {
  return error instanceof Error && !("Code" in error) && !("RequestId" in error);
}

/**
 * The `StoreError` for a failure of the store or the network. `what` says what was being done, with
 * the address or id. Nothing that the store answered is repeated but the error's name: the rest may
 * hold what was signed.
 */
export function s3Failure(error: unknown, what: string, reference?: string): StoreError {
  if (isStoreError(error)) return error;
  const name = nameOf(error);
  const status = statusOf(error);
  const code =
    codeOfName.get(name) ?? codeOfStatus.get(status ?? 0) ?? ("storage_unavailable" as const);
  const remedy = remedyOfName.get(name) ?? remedies[code] ?? "";
  return new StoreError(code, `Failed to ${what} (${reasonOf(error)}). ${remedy}`, {
    cause: causeOf(error),
    context: reference === undefined ? {} : { reference },
  });
}

function reasonOf(error: unknown): string {
  const requestId = metadataOf(error).requestId ?? "";
  const status = statusOf(error);
  const request = wordShape.test(requestId) ? `, request ${requestId}` : "";
  if (status !== undefined) return `${wordOf(nameOf(error))}, status ${status}${request}`;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return wordOf(error.code);
  }
  return wordOf(nameOf(error));
}

/** Any name of an error or a request, and nothing that a store may have made of what it was sent. */
const wordShape = /^[A-Za-z0-9._-]{1,128}$/;

function wordOf(name: string): string {
  return wordShape.test(name) ? name : "unknown";
}

/** The errors of the SDK carry the request with its signature: only what names them goes on. */
function causeOf(error: unknown): Error {
  if (statusOf(error) === undefined && error instanceof Error) {
    return new Error(error.message, { cause: undefined });
  }
  return new Error(reasonOf(error));
}

export function objectNotFound(address: string): StoreError {
  return new StoreError(
    "object_not_found",
    `The bucket holds no object ${address}. Write it, or look in another backend.`,
    { context: { reference: address } },
  );
}

export function stagedNotFound(id: string, cause?: Error): StoreError {
  return new StoreError(
    "staged_not_found",
    `Nothing is staged under ${JSON.stringify(id)}: it was committed, discarded or never there. ` +
      "Stage the bytes again.",
    cause === undefined ? {} : { cause },
  );
}

/** The refusal of an answer that could be an empty object, or one whose length a proxy took away. */
export function withoutLength(): StoreError {
  return new StoreError(
    "storage_unavailable",
    "The store did not say how long the object is. Check whether a proxy before it takes the " +
      "header Content-Length away, as one that compresses does.",
  );
}

export function aborted(reason: unknown): StoreError {
  return new StoreError("aborted", "The caller gave the transfer up.", { cause: reason });
}
