import { statement, type Sql } from "@store/database";
import {
  contentAddress,
  isStoreError,
  type ContentAddress,
  type DualDigest,
} from "@store/identity";
import { assertExpected, type Digester, type Staged } from "@store/storage";
import { and, eq } from "drizzle-orm";

import { retrievalOf } from "../commands/copies.ts";
import type { ObjectLease } from "../leases.ts";
import { admitKnown, type AdmittingInstance } from "../placement/admitting.ts";
import { reportWritten } from "../placement/reports.ts";
import { findObject } from "../queries/objects.ts";
import { claimsOf, uploadDigest, type UploadRow } from "../queries/uploads.ts";
import { formatTime } from "../times.ts";
import { digestStaged } from "./digesters.ts";
import { uploadLocked } from "./turns.ts";

/** What completing works with. The caller holds the lock, as `holder`. */
export interface Completing {
  readonly instance: AdmittingInstance;
  readonly row: UploadRow;
  readonly staged: Staged;
  /** The hashing of all bytes, if this process has it. */
  readonly digester: Digester | undefined;
  readonly holder: string;
  readonly signal: AbortSignal;
  readonly expiresAt: string;
}

const recordDigest = statement((sql, { uploadSessions: t }, p) =>
  sql
    .update(t)
    .set({
      contentAddress: p("contentAddress"),
      digestSha256: p("sha256"),
      sizeBytes: p("sizeBytes"),
      offsetBytes: p("sizeBytes"),
      stagedId: p("stagedId"),
      expiresAt: p("expiresAt"),
    })
    .where(and(eq(t.uploadId, p("uploadId")), eq(t.lockedBy, p("holder")))),
);

const putLease = statement((sql, { objectLeases: t }, p) =>
  sql
    .insert(t)
    .values({
      leaseId: p("uploadId"),
      kind: "object",
      contentAddress: p("contentAddress"),
      holder: p("uploadId"),
      createdAt: p("now"),
      expiresAt: p("expiresAt"),
    })
    .onConflictDoUpdate({
      target: [t.leaseId, t.contentAddress],
      set: { expiresAt: p("expiresAt") },
    }),
);

const recordComplete = statement((sql, { uploadSessions: t }, p) =>
  sql
    .update(t)
    .set({
      status: "complete",
      backend: p("backend"),
      stagedId: null,
      expiresAt: p("expiresAt"),
    })
    .where(and(eq(t.uploadId, p("uploadId")), eq(t.lockedBy, p("holder"))))
    .returning(),
);

const dropStagingLease = statement((sql, { objectLeases: t }, p) =>
  sql.delete(t).where(and(eq(t.leaseId, p("uploadId")), eq(t.contentAddress, ""))),
);

/**
 * Makes an object of an upload's bytes, all of which are there and durable. The digests are
 * recorded, with a lease on the object, before it becomes visible: whoever finds the bytes
 * committed and the row open knows what became of them. Every step can be repeated.
 *
 * @throws {StoreError} `digest_mismatch` where the bytes are not what was claimed
 */
export async function completeUpload(completing: Completing): Promise<UploadRow> {
  const { instance, row, staged } = completing;
  const digest = uploadDigest(row) ?? (await digestOfAll(completing));
  for (const address of claimsOf(row)) assertExpected(digest, { address });
  const object = contentAddress(digest.primary);
  const known = await instance.database.write(({ sql }) => admit(sql, completing, digest));
  // The rows say where the object was stored; the look at the backend mends one that was lost.
  const admission = known
    ? await admitKnown(instance, { address: object, sizeBytes: digest.sizeBytes }, row.backend)
    : { present: undefined, mending: undefined };
  if (admission.present === undefined) await commitTo(completing, object, admission.mending);
  else await staged.abort();
  return finishUpload(completing, admission.present ?? row.backend);
}

/** Makes the bytes the object; where that mends a damaged copy, records it. */
async function commitTo(
  { instance, row, staged }: Completing,
  address: ContentAddress,
  mending: ObjectLease | undefined,
): Promise<void> {
  try {
    const retrieval = retrievalOf(await staged.commit(address));
    const written = { address, backend: row.backend, isMended: true, retrieval };
    if (mending !== undefined) await reportWritten(instance, written);
  } finally {
    if (mending !== undefined) await instance.leases.giveBack(mending);
  }
}

/** Records that the object of an upload stands, and at which backend. */
export async function finishUpload(
  completing: Pick<Completing, "instance" | "row" | "holder" | "expiresAt">,
  backend: string,
): Promise<UploadRow> {
  const { instance, row, holder, expiresAt } = completing;
  const { uploadId } = row;
  return instance.database.write(async ({ sql }) => {
    const [complete] = await recordComplete(sql, { uploadId, holder, expiresAt, backend });
    if (complete === undefined) throw lost(uploadId);
    await dropStagingLease(sql, { uploadId });
    return complete;
  });
}

async function digestOfAll({ digester, staged, signal }: Completing): Promise<DualDigest> {
  try {
    if (digester !== undefined) return await digester.digest();
  } catch (error) {
    // The thread that hashed was lost: its bytes are not.
    if (!isStoreError(error, "storage_unavailable")) throw error;
  }
  return digestStaged(staged, signal);
}

/** Takes the lease on the object; says whether the instance knows it already. */
async function admit(
  sql: Sql,
  { instance, row, staged, holder, expiresAt }: Completing,
  digest: DualDigest,
): Promise<boolean> {
  const { uploadId } = row;
  const address = contentAddress(digest.primary);
  const { changes } = await recordDigest(sql, {
    uploadId,
    holder,
    contentAddress: address,
    sha256: digest.sha256.bytes,
    sizeBytes: digest.sizeBytes,
    stagedId: staged.id,
    expiresAt,
  });
  if (changes === 0) throw lost(uploadId);
  const now = formatTime(instance.clock());
  await putLease(sql, { uploadId, contentAddress: address, now, expiresAt });
  return (await findObject(sql, address)) !== undefined;
}

function lost(uploadId: string): Error {
  return uploadLocked(uploadId, "another process took it over");
}
