/** Limits on what callers may give; each refusal names its limit. */
export const limits = {
  /** Bytes of a package's metadata as canonical JSON. */
  metadataBytes: 1_048_576,
  /** Nesting of metadata and schemas. */
  jsonDepth: 64,
  /** Bytes of a metadata schema as canonical JSON. */
  schemaBytes: 262_144,
  /** Bytes of `source` and `build`. */
  provenanceBytes: 2_048,
  /** Bytes of a reason given with a yank or a hold. */
  reasonBytes: 1_024,
  /** Files of one package: with paths of 280 bytes, as many as the event of a manifest holds. */
  filesPerPackage: 250_000,
  /** Holds of one package that are not released; a manifest lists them. */
  holdsPerPackage: 1_000,
  /** UTF-8 bytes of an actor. */
  actorBytes: 256,
  /** Rows of one page of a list. */
  pageSize: 1_000,
  /** Characters of an idempotency key. */
  idempotencyKeyLength: 128,
  /** How long an idempotency key is remembered. */
  idempotencyMs: 24 * 60 * 60 * 1000,
  /** Milliseconds that validating metadata against a schema may take. */
  validationMs: 1_000,
  /** Megabytes of memory that it may take. */
  validationMegabytes: 128,
  /** Patterns of names that one caller may read by. */
  readablePatterns: 1_000,
  /** Addresses that one question may name. */
  addressesAtOnce: 10_000,
  /** Places of an object that are looked at for one that its caller may read. */
  objectReferences: 1_000,
  /** Characters of a search. */
  searchLength: 128,
} as const;

/** The retention classes that every instance is born with. */
export const retentionClassesAtBirth: readonly { name: string; durationDays?: number }[] = [
  { name: "ephemeral", durationDays: 7 },
  { name: "standard", durationDays: 90 },
  { name: "release", durationDays: 730 },
  { name: "audit", durationDays: 3_650 },
  { name: "permanent" },
];

export const defaultRetentionClass = "standard";
