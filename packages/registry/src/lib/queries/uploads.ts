import {
  statement,
  type Database,
  type Query,
  type Row,
  type Sql,
  type Tables,
} from "@store/database";
import {
  contentAddress,
  Digest,
  digestOf,
  parseContentAddress,
  StoreError,
  type ContentAddress,
  type DualDigest,
} from "@store/identity";
import { and, asc, count, eq, gt } from "drizzle-orm";

import { isId, shown } from "../arguments.ts";
import type { Page, PageOptions } from "../types.ts";
import type { UploadInfo, UploadMetadata } from "../uploads/types.ts";
import { cursorOf, pageLimit, pageOf, text } from "./pages.ts";

export type UploadRow = Row<"uploadSessions">;

/** Whose upload it is, and what time it is. */
export interface UploadKey {
  readonly uploadId: string;
  readonly actor: string;
  readonly now: string;
}

const selectUpload = statement((sql, { uploadSessions: t }, p) =>
  sql
    .select()
    .from(t)
    .where(and(eq(t.uploadId, p("uploadId")), eq(t.actor, p("actor")), gt(t.expiresAt, p("now")))),
);

/** The actor's upload, or undefined where there is none that has not expired. */
export async function findUploadIfAny(sql: Sql, key: UploadKey): Promise<UploadRow | undefined> {
  if (!isId("upload id", key.uploadId)) return undefined;
  const [row] = await selectUpload(sql, { ...key });
  return row;
}

/** The actor's upload; throws `upload_not_found`. */
export async function findUpload(sql: Sql, key: UploadKey): Promise<UploadRow> {
  const row = await findUploadIfAny(sql, key);
  if (row === undefined) throw unknownUpload(key.uploadId);
  return row;
}

/** The refusal of an upload that is not there, has expired, or is another actor's. */
export function unknownUpload(uploadId: unknown): StoreError {
  return new StoreError(
    "upload_not_found",
    `There is no upload ${shown(uploadId)}: it may have expired. Begin another.`,
    { context: { actual: shown(uploadId) } },
  );
}

const uploadCursor = cursorOf("uploads", [text]);

/** What a page of uploads is read with, in the order in which they were begun. */
export function selectUploads(
  sql: Sql,
  { uploadSessions: t }: Tables,
  of: { readonly actor: string; readonly now: string },
  page: { readonly after: string | undefined; readonly limit: number },
): Query<UploadRow[]> {
  const after = page.after === undefined ? undefined : gt(t.uploadId, page.after);
  return sql
    .select()
    .from(t)
    .where(and(eq(t.actor, of.actor), gt(t.expiresAt, of.now), after))
    .orderBy(asc(t.uploadId))
    .limit(page.limit);
}

export async function listUploads(
  { reader, tables }: Database,
  of: { readonly actor: string; readonly now: string },
  options: PageOptions,
): Promise<Page<UploadInfo>> {
  const limit = pageLimit(options);
  const after = uploadCursor.decode(options.cursor)?.[0];
  const rows = await selectUploads(reader, tables, of, { after, limit: limit + 1 });
  return pageOf(rows, limit, {
    cursor: (row) => uploadCursor.encode([row.uploadId]),
    item: uploadInfo,
  });
}

/** An upload as its callers see it. */
export function uploadInfo(row: UploadRow): UploadInfo {
  const { sizeBytes } = row;
  const digest = row.status === "complete" ? uploadDigest(row) : undefined;
  return {
    id: row.uploadId,
    actor: row.actor,
    status: row.status,
    offsetBytes: row.offsetBytes,
    ...(sizeBytes === null ? {} : { sizeBytes }),
    metadata: metadataOf(row),
    ...(digest === undefined
      ? {}
      : { address: contentAddress(digest.primary), sha256: contentAddress(digest.sha256) }),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
  };
}

export function metadataOf({ metadata }: UploadRow): UploadMetadata {
  const members: unknown = JSON.parse(metadata);
  const entries = Object.entries(members ?? {}).map(
    ([name, text]) => [name, String(text)] as const,
  );
  return Object.fromEntries(entries);
}

/** What the bytes were found to be, once they were hashed whole; they may be no object yet. */
export function uploadDigest(row: UploadRow): DualDigest | undefined {
  if (row.contentAddress === null || row.digestSha256 === null || row.sizeBytes === null) {
    return undefined;
  }
  return {
    primary: digestOf(parseContentAddress(row.contentAddress)),
    sha256: Digest.of("sha256", row.digestSha256),
    sizeBytes: row.sizeBytes,
  };
}

/** The claims about the whole, as the row keeps them. */
export function formatClaims(addresses: readonly (ContentAddress | undefined)[]): string | null {
  const claims = addresses.filter((address) => address !== undefined);
  return claims.length === 0 ? null : claims.join(" ");
}

export function claimsOf({ expectedAddress }: UploadRow): ContentAddress[] {
  if (expectedAddress === null) return [];
  return expectedAddress.split(" ").map((claim) => parseContentAddress(claim));
}

const countOpen = statement((sql, { uploadSessions: t }, p) =>
  sql
    .select({ open: count() })
    .from(t)
    .where(and(eq(t.status, "open"), gt(t.expiresAt, p("now")))),
);

/** How many uploads of all actors are open and have not expired. */
export async function countOpenUploads(sql: Sql, now: string): Promise<number> {
  const [row] = await countOpen(sql, { now });
  return row?.open ?? 0;
}
