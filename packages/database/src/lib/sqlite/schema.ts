/** The tables in SQLite. Keys and indexes stand in `migrations/sqlite`, which is what runs. */
import { primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { bytes, flag, number } from "./columns.ts";
import {
  accessRefusals,
  apiTokens,
  idempotencyKeys,
  objectLeases,
  sessions,
  signingKeys,
  uploadSessions,
  users,
  workPositions,
} from "./operational-tables.ts";
import type {
  BackendStatus,
  CopyStatus,
  PackageStatus,
  RestoreStatus,
  RetrievalTier,
} from "../row-values.ts";

const events = sqliteTable(
  "events",
  {
    seq: number("seq").notNull(),
    id: text("id").notNull(),
    type: text("type").notNull(),
    occurredAt: text("occurred_at").notNull(),
    actor: text("actor").notNull(),
    subject: text("subject").notNull(),
    header: bytes("header").notNull(),
    payload: bytes("payload").notNull(),
  },
  (t) => [primaryKey({ columns: [t.seq] })],
);

const logHead = sqliteTable(
  "log_head",
  {
    id: number("id").notNull(),
    logId: text("log_id").notNull(),
    size: number("size").notNull(),
    root: bytes("root").notNull(),
    frontier: bytes("frontier").notNull(),
    lastOccurredAt: text("last_occurred_at").notNull(),
    lastEventId: text("last_event_id").notNull(),
  },
  (t) => [primaryKey({ columns: [t.id] })],
);

const artifactPackages = sqliteTable(
  "artifact_packages",
  {
    packageId: text("package_id").notNull(),
    namespace: text("namespace").notNull(),
    name: text("name").notNull(),
    version: text("version").notNull(),
    variant: text("variant").notNull(),
    versionSortKey: text("version_sort_key").notNull(),
    prerelease: flag("prerelease").notNull(),
    status: text("status").$type<PackageStatus>().notNull(),
    revision: number("revision").notNull(),
    createdAt: text("created_at").notNull(),
    createdSeq: number("created_seq").notNull(),
    createdBy: text("created_by").notNull(),
    metadata: bytes("metadata"),
    metadataSchema: text("metadata_schema"),
    retentionClass: text("retention_class").notNull(),
    source: text("source"),
    build: text("build"),
    openExpiresAt: text("open_expires_at"),
    finalizedAt: text("finalized_at"),
    finalizedSeq: number("finalized_seq"),
    manifestDigest: text("manifest_digest"),
    manifestSize: number("manifest_size"),
    fileCount: number("file_count").notNull(),
    sizeBytes: number("size_bytes").notNull(),
    yankedAt: text("yanked_at"),
    yankReason: text("yank_reason"),
  },
  (t) => [primaryKey({ columns: [t.packageId] })],
);

const artifactFiles = sqliteTable(
  "artifact_files",
  {
    packageId: text("package_id").notNull(),
    path: text("path").notNull(),
    sizeBytes: number("size_bytes").notNull(),
    mediaType: text("media_type"),
    executable: flag("executable").notNull(),
    digestAlgorithm: text("digest_algorithm").notNull(),
    digestPrimary: bytes("digest_primary").notNull(),
    digestSha256: bytes("digest_sha256").notNull(),
    contentAddress: text("content_address").notNull(),
    backend: text("backend").notNull(),
    storedAt: text("stored_at").notNull(),
    addedSeq: number("added_seq").notNull(),
  },
  (t) => [primaryKey({ columns: [t.packageId, t.path] })],
);

const objects = sqliteTable(
  "objects",
  {
    contentAddress: text("content_address").notNull(),
    digestAlgorithm: text("digest_algorithm").notNull(),
    digestPrimary: bytes("digest_primary").notNull(),
    digestSha256: bytes("digest_sha256").notNull(),
    sizeBytes: number("size_bytes").notNull(),
    firstSeq: number("first_seq").notNull(),
    storedAt: text("stored_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.contentAddress] })],
);

const storageLocations = sqliteTable(
  "storage_locations",
  {
    contentAddress: text("content_address").notNull(),
    backend: text("backend").notNull(),
    storedAt: text("stored_at").notNull(),
    retrievalTier: text("retrieval_tier").$type<RetrievalTier>().notNull(),
    restoreStatus: text("restore_status").$type<RestoreStatus>().notNull(),
    status: text("status").$type<CopyStatus>().notNull(),
    statusAt: text("status_at"),
    restoredUntil: text("restored_until"),
  },
  (t) => [primaryKey({ columns: [t.contentAddress, t.backend] })],
);

const tags = sqliteTable(
  "tags",
  {
    namespace: text("namespace").notNull(),
    name: text("name").notNull(),
    tag: text("tag").notNull(),
    packageId: text("package_id").notNull(),
    setAt: text("set_at").notNull(),
    setBy: text("set_by").notNull(),
    setSeq: number("set_seq").notNull(),
  },
  (t) => [primaryKey({ columns: [t.namespace, t.name, t.tag] })],
);

const packageNames = sqliteTable(
  "package_names",
  {
    namespace: text("namespace").notNull(),
    name: text("name").notNull(),
    createdAt: text("created_at").notNull(),
    updatedAt: text("updated_at").notNull(),
    finalizedCount: number("finalized_count").notNull(),
  },
  (t) => [primaryKey({ columns: [t.namespace, t.name] })],
);

const retentionClasses = sqliteTable(
  "retention_classes",
  {
    name: text("name").notNull(),
    durationDays: number("duration_days"),
    definedSeq: number("defined_seq").notNull(),
  },
  (t) => [primaryKey({ columns: [t.name] })],
);

const retentionState = sqliteTable(
  "retention_state",
  {
    packageId: text("package_id").notNull(),
    retentionClass: text("retention_class").notNull(),
    expiresAt: text("expires_at"),
    setAt: text("set_at").notNull(),
    setBy: text("set_by").notNull(),
  },
  (t) => [primaryKey({ columns: [t.packageId] })],
);

const retentionHolds = sqliteTable(
  "retention_holds",
  {
    holdId: text("hold_id").notNull(),
    packageId: text("package_id").notNull(),
    reason: text("reason").notNull(),
    placedAt: text("placed_at").notNull(),
    placedBy: text("placed_by").notNull(),
    releasedAt: text("released_at"),
    releasedBy: text("released_by"),
  },
  (t) => [primaryKey({ columns: [t.holdId] })],
);

const metadataSchemas = sqliteTable(
  "metadata_schemas",
  {
    name: text("name").notNull(),
    revision: number("revision").notNull(),
    schema: bytes("schema").notNull(),
    digest: text("digest").notNull(),
    registeredAt: text("registered_at").notNull(),
    registeredBy: text("registered_by").notNull(),
  },
  (t) => [primaryKey({ columns: [t.name, t.revision] })],
);

const nameWords = sqliteTable(
  "name_words",
  {
    word: text("word").notNull(),
    namespace: text("namespace").notNull(),
    name: text("name").notNull(),
  },
  (t) => [primaryKey({ columns: [t.word, t.namespace, t.name] })],
);

const storageBackends = sqliteTable(
  "storage_backends",
  {
    backend: text("backend").notNull(),
    status: text("status").$type<BackendStatus>().notNull(),
    reason: text("reason"),
    changedAt: text("changed_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.backend] })],
);

export const sqliteTables = {
  events,
  logHead,
  artifactPackages,
  artifactFiles,
  objects,
  storageLocations,
  tags,
  packageNames,
  retentionClasses,
  retentionState,
  retentionHolds,
  metadataSchemas,
  nameWords,
  storageBackends,
  objectLeases,
  idempotencyKeys,
  users,
  sessions,
  apiTokens,
  signingKeys,
  accessRefusals,
  uploadSessions,
  workPositions,
};
