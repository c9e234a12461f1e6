import { contentAddress, type DualDigest } from "@store/identity";
import { ingestStream } from "@store/storage";

import { addStoredFile, type FilePlacement } from "./commands/file.ts";
import { runCommand, type Decide } from "./commands/run.ts";
import { recallAnswer, type IdempotentRequest } from "./commands/idempotency.ts";
import type { Instance } from "./instance.ts";
import type { Leases, ObjectLease } from "./leases.ts";
import { findOpenPackage } from "./queries/find.ts";
import { refuseTakenPath } from "./queries/taken-path.ts";
import { formatTime } from "./times.ts";
import type { AddedFile, IngestFileOptions } from "./types.ts";

/** The role of the backend that new objects go to. */
export const primaryRole = "primary";

/**
 * Stores a stream's bytes once and records the file. The address is leased before the object
 * becomes visible and until the reference is recorded, so that no collector can take it between.
 */
export async function ingestFile(
  instance: Instance,
  actor: string,
  placement: FilePlacement,
  source: AsyncIterable<Uint8Array>,
  options: IngestFileOptions,
  idempotent: IdempotentRequest | undefined,
): Promise<AddedFile> {
  const { database, leases, primary } = instance;
  const { reader: sql, tables } = database;
  if (idempotent !== undefined) {
    // Asked before the body is read: a repeated request need not send it again.
    const now = formatTime(instance.clock());
    const remembered = await recallAnswer({ sql, tables, now }, actor, idempotent);
    if (remembered !== undefined) return remembered.answer as AddedFile;
  }
  const row = await findOpenPackage(sql, placement.packageId);
  await refuseTakenPath(sql, row, placement.path, placement.replace);
  let leased: ObjectLease | undefined;
  const admit = async ({ primary: digest, sizeBytes }: DualDigest) => {
    const address = contentAddress(digest);
    const { lease, known } = await leases.takeObject(address);
    leased = lease;
    // The row says that the object was stored; the look at the backend mends one that was lost.
    const present = known && (await primary.stat(address))?.sizeBytes === sizeBytes;
    return present ? "present" : "write";
  };
  try {
    const { digest, receipt } = await ingestStream(primary, source, {
      lease: await leases.process(),
      admit,
      ...(options.expect === undefined ? {} : { expect: options.expect }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
    const deduplicated = receipt === undefined || receipt.existed;
    const object = { digest, backend: primaryRole, deduplicated };
    const decide = releasing(addStoredFile(placement, object), leases, leased);
    const added = await runCommand(instance, actor, decide, idempotent);
    leased = undefined;
    return added;
  } finally {
    // Where this fails too, the lease runs out by itself.
    if (leased !== undefined) await leases.release(leased).catch(() => undefined);
  }
}

/** The same decision, giving the lease back in its transaction. */
function releasing<Answer>(
  decide: Decide<Answer>,
  leases: Leases,
  lease: ObjectLease | undefined,
): Decide<Answer> {
  return async (view) => {
    const { events, answer } = await decide(view);
    return {
      events,
      answer: async (after) => {
        if (lease !== undefined) await leases.releaseWith(after, lease);
        return answer(after);
      },
    };
  };
}
