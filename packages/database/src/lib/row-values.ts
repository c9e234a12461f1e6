/** The closed sets of texts that some columns hold, in both dialects. */

/** Where a package is in its life. */
export type PackageStatus = "open" | "finalized" | "yanked" | "expired";

/** A lease keeps a process's place, or one object, from being swept. */
export type LeaseKind = "process" | "object";

/** What an API token may be used for: anything its scopes allow, or the first user alone. */
export type TokenKind = "api" | "setup";

/** Whether an upload still takes bytes, or has become an object. */
export type UploadStatus = "open" | "complete";
