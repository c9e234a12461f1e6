/** The operational tables in PostgreSQL: what replay leaves alone and a backup copies. */
import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytes, number } from "./columns.ts";
import type { LeaseKind, TokenKind, UploadStatus } from "../row-values.ts";

export const objectLeases = pgTable(
  "object_leases",
  {
    leaseId: text("lease_id").notNull(),
    kind: text("kind").$type<LeaseKind>().notNull(),
    contentAddress: text("content_address").notNull(),
    holder: text("holder").notNull(),
    createdAt: text("created_at").notNull(),
    expiresAt: text("expires_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.leaseId, t.contentAddress] })],
);

export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    actor: text("actor").notNull(),
    key: text("key").notNull(),
    requestDigest: bytes("request_digest").notNull(),
    response: text("response").notNull(),
    createdAt: text("created_at").notNull(),
    expiresAt: text("expires_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.actor, t.key] })],
);

export const users = pgTable(
  "users",
  {
    userId: text("user_id").notNull(),
    username: text("username").notNull(),
    passwordHash: text("password_hash").notNull(),
    scopes: text("scopes").notNull(),
    createdAt: text("created_at").notNull(),
    createdBy: text("created_by").notNull(),
    passwordChangedAt: text("password_changed_at").notNull(),
    disabledAt: text("disabled_at"),
  },
  (t) => [primaryKey({ columns: [t.userId] })],
);

export const sessions = pgTable(
  "sessions",
  {
    sessionId: text("session_id").notNull(),
    userId: text("user_id").notNull(),
    familyDigest: bytes("family_digest").notNull(),
    refreshDigest: bytes("refresh_digest").notNull(),
    createdAt: text("created_at").notNull(),
    refreshedAt: text("refreshed_at").notNull(),
    expiresAt: text("expires_at").notNull(),
    revokedAt: text("revoked_at"),
    revokedReason: text("revoked_reason"),
  },
  (t) => [primaryKey({ columns: [t.sessionId] })],
);

export const apiTokens = pgTable(
  "api_tokens",
  {
    tokenId: text("token_id").notNull(),
    kind: text("kind").$type<TokenKind>().notNull(),
    userId: text("user_id").notNull(),
    name: text("name").notNull(),
    tokenDigest: bytes("token_digest").notNull(),
    scopes: text("scopes").notNull(),
    createdAt: text("created_at").notNull(),
    createdBy: text("created_by").notNull(),
    expiresAt: text("expires_at"),
    lastUsedAt: text("last_used_at"),
    revokedAt: text("revoked_at"),
  },
  (t) => [primaryKey({ columns: [t.tokenId] })],
);

export const signingKeys = pgTable(
  "signing_keys",
  {
    keyId: text("key_id").notNull(),
    algorithm: text("algorithm").notNull(),
    publicKey: text("public_key").notNull(),
    privateKey: text("private_key").notNull(),
    createdAt: text("created_at").notNull(),
    retiredAt: text("retired_at"),
  },
  (t) => [primaryKey({ columns: [t.keyId] })],
);

export const accessRefusals = pgTable(
  "access_refusals",
  {
    slot: number("slot").notNull(),
    refusalId: text("refusal_id").notNull(),
    refusedAt: text("refused_at").notNull(),
    code: text("code").notNull(),
    address: text("address").notNull(),
    actor: text("actor").notNull(),
    method: text("method").notNull(),
    path: text("path").notNull(),
    requestId: text("request_id").notNull(),
  },
  (t) => [primaryKey({ columns: [t.slot] })],
);

export const uploadSessions = pgTable(
  "upload_sessions",
  {
    uploadId: text("upload_id").notNull(),
    actor: text("actor").notNull(),
    status: text("status").$type<UploadStatus>().notNull(),
    sizeBytes: number("size_bytes"),
    offsetBytes: number("offset_bytes").notNull(),
    backend: text("backend").notNull(),
    stagedId: text("staged_id"),
    expectedAddress: text("expected_address"),
    metadata: text("metadata").notNull(),
    contentAddress: text("content_address"),
    digestSha256: bytes("digest_sha256"),
    createdAt: text("created_at").notNull(),
    expiresAt: text("expires_at").notNull(),
    lockedBy: text("locked_by"),
    lockedUntil: text("locked_until"),
    lockWantedAt: text("lock_wanted_at"),
  },
  (t) => [primaryKey({ columns: [t.uploadId] })],
);

export const workPositions = pgTable(
  "work_positions",
  {
    name: text("name").notNull(),
    position: text("position").notNull(),
    state: text("state").notNull(),
    startedAt: text("started_at").notNull(),
    updatedAt: text("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.name] })],
);
