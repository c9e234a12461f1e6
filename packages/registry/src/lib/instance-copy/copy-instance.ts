import { loadDualHashing, StoreError } from "@store/identity";

import { assertInteger, objectOf } from "../arguments.ts";
import { backgroundLock } from "../background-lock.ts";
import { assertRoles, compareLogs, type ComparedLogs } from "./checks.ts";
import { CopyRun } from "./copy-run.ts";
import { MissingCopies } from "./missing-copies.ts";
import { copyName, ObjectCopier } from "./object-copier.ts";
import type { CopyInstanceOptions, CopyReport } from "./types.ts";
import { verifyCopy } from "./verification.ts";

/**
 * Makes `to` the same instance as `from`: its log byte for byte, the views that the log makes, the
 * objects role by role, and accounts, tokens and keys. At every moment the target is what the source
 * once was, with all the objects that its log speaks of, so that it may be interrupted anywhere,
 * also by a kill; called again it goes on, and a finished copy is only caught up with.
 *
 * The source may be in use. A target that others write to at the same time is refused.
 *
 * @throws {StoreError} `instance_not_found` where there is no source, `precondition_failed` where the
 *   target is another instance or went on by itself, `invalid_argument` where a role has no place to
 *   go to, `log_corrupt` where the source's log is not as it was written, and what the databases and
 *   backends throw. Objects that cannot be read are no error: they are in the report.
 */
export async function copyInstance(options: CopyInstanceOptions): Promise<CopyReport> {
  assertOptions(options);
  const { from, to, signal } = options;
  options.onProgress?.({ step: "comparing", done: 0, objects: 0, sizeBytes: 0 });
  const logs = await compareLogs(from.database, to.database);
  const lock = await to.database.tryLock(copyName);
  if (lock === undefined) throw alreadyCopied();
  try {
    // Accounts leave no event: of a target that is in use they would be set back to the source's.
    const background = await to.database.tryLock(backgroundLock);
    if (background === undefined) throw targetInUse();
    try {
      const signals = [lock.signal, background.signal, ...(signal === undefined ? [] : [signal])];
      return await copyUnderLock({ ...options, signal: AbortSignal.any(signals) }, logs);
    } finally {
      await background.release();
    }
  } finally {
    await lock.release();
  }
}

async function copyUnderLock(options: GivenOptions, logs: ComparedLogs): Promise<CopyReport> {
  const { from, to, without = [], concurrency = 32, verify = false, signal } = options;
  const leftOut = new Set(without);
  await assertRoles(from, to, leftOut);
  await discardLeftovers(options);
  const missing = await MissingCopies.read(to.database);
  const hashing = await loadDualHashing();
  const copier = new ObjectCopier({
    from,
    to,
    concurrency,
    signal,
    without: leftOut,
    onCopied: (sizeBytes) => run.addObject(sizeBytes),
  });
  const manifestDigest = (bytes: Uint8Array) => hashing.digestBytes(bytes).primary;
  const run = new CopyRun(options, { ...logs, copier, missing, manifestDigest });
  await run.toEnd();
  if (!verify) return await run.report();
  const verification = await verifyCopy({ ...logs, ...options, copier, missing });
  return { ...(await run.report()), verification };
}

type GivenOptions = CopyInstanceOptions & { readonly signal: AbortSignal };

function alreadyCopied(): StoreError {
  return new StoreError(
    "precondition_failed",
    "Another process copies to the same place. Wait until it has ended.",
  );
}

function targetInUse(): StoreError {
  return new StoreError(
    "precondition_failed",
    "A server is at work on the target. Copy to a place that nobody uses; where this one is in use " +
      "for good, it has all that it is to have.",
  );
}

/** What a killed copy had staged is no use to this one. */
async function discardLeftovers({ to }: CopyInstanceOptions): Promise<void> {
  for (const backend of Object.values(to.backends)) {
    for await (const { id, lease } of backend.listStaged()) {
      if (lease === copyName) await backend.discardStaged(id);
    }
  }
}

function assertOptions(options: CopyInstanceOptions): void {
  const { from, to, concurrency = 32 } = objectOf("options", options);
  for (const [name, side] of Object.entries({ from, to })) {
    objectOf(`${name}.database`, objectOf(name, side).database);
    objectOf(`${name}.backends`, side.backends);
  }
  assertInteger("concurrency", concurrency, 1, 64);
  if (from.database !== to.database) return;
  throw new StoreError("invalid_argument", "An instance cannot be copied onto itself.");
}
