/** The closed sets of texts that some columns hold, in both dialects. */

/** Where a package is in its life. */
export type PackageStatus = "open" | "finalized" | "yanked" | "expired";

/** A lease keeps a process's place, or one object, from being swept. */
export type LeaseKind = "process" | "object";

/** What an API token may be used for: anything its scopes allow, or the first user alone. */
export type TokenKind = "api" | "setup";

/** Whether an upload still takes bytes, or has become an object. */
export type UploadStatus = "open" | "complete";

/** Whether a copy of an object can be read whole: as it was last seen. */
export type CopyStatus = "ok" | "missing" | "corrupt";

/** Whether a copy can be read at once, or has to be restored first. */
export type RetrievalTier = "hot" | "archive";

/** How far the restore of an archived copy is. */
export type RestoreStatus = "none" | "requested" | "restored";

/** Whether a backend answered when it was last asked. */
export type BackendStatus = "ok" | "failed";
