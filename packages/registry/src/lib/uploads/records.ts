import { statement } from "@store/database";
import { StoreError } from "@store/identity";
import { and, eq, gt, inArray, isNull, lte, or, sql as raw } from "drizzle-orm";

import type { Instance } from "../instance.ts";
import type { AdmittingInstance } from "../placement/admitting.ts";
import type { UploadRow } from "../queries/uploads.ts";
import { formatTime } from "../times.ts";
import { uploadLocked } from "./turns.ts";

/** What uploads are made with. */
export type UploadsInstance = AdmittingInstance &
  Pick<Instance, "backends" | "clock" | "ids" | "lifetime">;

export interface SessionLimits {
  readonly limitBytes: number;
  readonly uploadMs: number;
  readonly openPerActor: number;
  readonly open: number;
  readonly lockMs: number;
}

/** Uploads that one round of the sweep takes. */
const perRound = 100;

export interface NewUpload {
  readonly sizeBytes: number | undefined;
  /** The claims, as the row keeps them. */
  readonly claims: string | null;
  /** The metadata as JSON. */
  readonly metadata: string;
}

const count = raw<number>`count(*)`.mapWith(Number);

const countOfActor = statement((sql, { uploadSessions: t }, p) =>
  sql
    .select({ count })
    .from(t)
    .where(and(eq(t.status, "open"), eq(t.actor, p("actor")))),
);

const countOfAll = statement((sql, { uploadSessions: t }) =>
  sql.select({ count }).from(t).where(eq(t.status, "open")),
);

/** Records a new upload, and the lease that its bytes are staged under. */
export function createUpload(
  { database, clock, ids, placement }: UploadsInstance,
  limits: SessionLimits,
  actor: string,
  { sizeBytes, claims, metadata }: NewUpload,
): Promise<UploadRow> {
  const uploadId = ids();
  return database.write(async ({ sql, tables }) => {
    const [ofActor] = await countOfActor(sql, { actor });
    assertFewer(ofActor?.count, limits.openPerActor, "You have");
    const [ofAll] = await countOfAll(sql, {});
    assertFewer(ofAll?.count, limits.open, "There are");
    const createdAt = formatTime(clock());
    const expiresAt = formatTime(clock() + limits.uploadMs);
    await sql.insert(tables.objectLeases).values({
      leaseId: uploadId,
      kind: "process",
      contentAddress: "",
      holder: uploadId,
      createdAt,
      expiresAt,
    });
    const row: UploadRow = {
      uploadId,
      actor,
      status: "open",
      sizeBytes: sizeBytes ?? null,
      offsetBytes: 0,
      backend: placement.primary,
      stagedId: null,
      expectedAddress: claims,
      metadata,
      contentAddress: null,
      digestSha256: null,
      createdAt,
      expiresAt,
      lockedBy: null,
      lockedUntil: null,
      lockWantedAt: null,
    };
    await sql.insert(tables.uploadSessions).values(row);
    return row;
  });
}

function assertFewer(open: number | undefined, limit: number, who: string): void {
  if ((open ?? 0) < limit) return;
  throw new StoreError(
    "limit_exceeded",
    `${who} ${limit} open uploads, and no more may be begun. Finish or cancel some.`,
    { context: { limit } },
  );
}

const save = statement((sql, { uploadSessions: t }, p) =>
  sql
    .update(t)
    .set({
      stagedId: p("stagedId"),
      offsetBytes: p("offsetBytes"),
      expiresAt: p("expiresAt"),
      contentAddress: null,
      digestSha256: null,
    })
    .where(
      and(eq(t.uploadId, p("uploadId")), eq(t.lockedBy, p("holder")), gt(t.expiresAt, p("now"))),
    )
    .returning(),
);

const extendLeases = statement((sql, { objectLeases: t }, p) =>
  sql
    .update(t)
    .set({ expiresAt: p("expiresAt") })
    .where(eq(t.leaseId, p("uploadId"))),
);

/** Records where the bytes are and how many are durable; digests found before hold no more. */
export function saveUpload(
  { database, clock }: UploadsInstance,
  saved: {
    readonly uploadId: string;
    readonly holder: string;
    readonly stagedId: string | null;
    readonly offsetBytes: number;
    readonly expiresAt: string;
  },
): Promise<UploadRow> {
  const { uploadId, expiresAt } = saved;
  return database.write(async ({ sql }) => {
    const [row] = await save(sql, { ...saved, now: formatTime(clock()) });
    if (row === undefined) throw lost(uploadId);
    await extendLeases(sql, { uploadId, expiresAt });
    return row;
  });
}

/** Records the size of an upload that had none. */
export function sizeUpload(
  { database }: UploadsInstance,
  holder: string,
  uploadId: string,
  sizeBytes: number,
): Promise<UploadRow> {
  return database.write(async ({ sql, tables: { uploadSessions: t } }) => {
    const [row] = await sql
      .update(t)
      .set({ sizeBytes })
      .where(and(eq(t.uploadId, uploadId), eq(t.lockedBy, holder)))
      .returning();
    if (row === undefined) throw lost(uploadId);
    return row;
  });
}

/** Sends an upload that has no bytes yet to another backend. */
export function moveUpload(
  { database }: UploadsInstance,
  holder: string,
  uploadId: string,
  backend: string,
): Promise<UploadRow> {
  return database.write(async ({ sql, tables: { uploadSessions: t } }) => {
    const [row] = await sql
      .update(t)
      .set({ backend })
      .where(and(eq(t.uploadId, uploadId), eq(t.lockedBy, holder), isNull(t.stagedId)))
      .returning();
    if (row === undefined) throw lost(uploadId);
    return row;
  });
}

/** Forgets an upload, and with it the leases on its bytes and its object. */
export function deleteUpload(
  { database }: UploadsInstance,
  uploadId: string,
  holder: string,
): Promise<void> {
  return database.write(async ({ sql, tables: { objectLeases, uploadSessions: t } }) => {
    const { changes } = await sql
      .delete(t)
      .where(and(eq(t.uploadId, uploadId), eq(t.lockedBy, holder)));
    if (changes === 0) throw lost(uploadId);
    await sql.delete(objectLeases).where(eq(objectLeases.leaseId, uploadId));
  });
}

/** Ends uploads whose time is over, and discards their bytes. */
export async function sweepUploads(
  { database, backends }: Pick<UploadsInstance, "database" | "backends">,
  now: string,
): Promise<number> {
  let ended = 0;
  for (;;) {
    const rows = await database.write(
      async ({ sql, tables: { objectLeases, uploadSessions: t } }) => {
        // One that is being written to is renewed by its process, unless that is only late.
        const isFree = or(isNull(t.lockedBy), lte(t.lockedUntil, now));
        const expired = await sql
          .select({ uploadId: t.uploadId })
          .from(t)
          .where(and(lte(t.expiresAt, now), isFree))
          .limit(perRound);
        if (expired.length === 0) return [];
        const ids = expired.map(({ uploadId }) => uploadId);
        await sql.delete(objectLeases).where(inArray(objectLeases.leaseId, ids));
        return await sql
          .delete(t)
          .where(inArray(t.uploadId, ids))
          .returning({ backend: t.backend, stagedId: t.stagedId });
      },
    );
    for (const { backend: role, stagedId } of rows) {
      if (stagedId !== null) await backends[role]?.discardStaged(stagedId);
    }
    ended += rows.length;
    if (rows.length < perRound) return ended;
  }
}

function lost(uploadId: string): Error {
  return uploadLocked(uploadId, "another process took it over, or it has expired");
}
