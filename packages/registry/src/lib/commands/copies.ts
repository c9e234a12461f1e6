import { digestOf, type ContentAddress, type StoreErrorCode } from "@store/identity";
import type { ObjectRetrieval, StorageReceipt } from "@store/storage";

import { backendSubject, objectSubject } from "../events/subjects.ts";
import type { NewEvent } from "../events/types.ts";
import { findBackend, findCopy, isArchived, type CopyRow } from "../queries/copies.ts";
import { together } from "../together.ts";
import { changed, unchanged, type Decide } from "./decision.ts";

const hot: ObjectRetrieval = { tier: "hot", restore: "none" };

/** A copy about which something was found out. */
export interface FoundCopy {
  readonly address: ContentAddress;
  readonly backend: string;
  /**
   * When the look at it began: what was recorded about the copy since then is newer, and stands.
   * RFC 3339 UTC with milliseconds.
   */
  readonly seenAt?: string;
  /**
   * What was recorded about it then, where that is known: whether it is another thing by now needs
   * no clock, and those of servers differ.
   */
  readonly seen?: Pick<CopyRow, "storedAt" | "statusAt"> | undefined;
}

/**
 * Records that a copy cannot be read whole, if that is news; says whether it was. Of a copy that
 * the instance does not know there is nothing to say.
 */
export function copyDamaged(found: FoundCopy, finding: "missing" | "corrupt"): Decide<boolean> {
  return async ({ sql }) => {
    const { address, backend } = found;
    const copy = await findCopy(sql, address, backend);
    if (copy === undefined || copy.status === finding || isNewer(copy, found)) {
      return unchanged(false);
    }
    return changed(
      {
        type: "v1.object.damaged",
        subject: objectSubject(address),
        payload: { blake3: digestOf(address).bytes, backend, finding },
      },
      () => true,
    );
  };
}

/** Records that a copy that was missing or corrupt is whole, if that is news; says whether it was. */
export function copyMended(found: FoundCopy): Decide<boolean> {
  return async ({ sql }) => {
    const { address, backend } = found;
    const copy = await findCopy(sql, address, backend);
    if (copy === undefined || copy.status === "ok" || isNewer(copy, found)) return unchanged(false);
    return changed(
      {
        type: "v1.object.mended",
        subject: objectSubject(address),
        payload: { blake3: digestOf(address).bytes, backend },
      },
      () => true,
    );
  };
}

/** The bytes of a copy that a command is about. */
export interface WrittenCopy extends FoundCopy {
  /** Whether they took the place of a copy that was missing or corrupt. */
  readonly isMended: boolean;
  /** How it can be read; undefined where nothing is known of that. */
  readonly retrieval: ObjectRetrieval | undefined;
}

/** The same, and what is news about the copy that was written for it, in one transaction. */
export function alsoWritten<Answer>(decide: Decide<Answer>, written: WrittenCopy): Decide<Answer> {
  const { address, backend, isMended, retrieval } = written;
  if (!isMended && retrieval?.tier !== "archive") return decide;
  return async (view) => {
    const [decision, mended, row] = await together([
      decide(view),
      isMended ? copyMended(written)(view) : Promise.resolve(unchanged(false)),
      findCopy(view.sql, address, backend),
    ]);
    const { events } = decision;
    const news = retrieval === undefined ? [] : retrievalEvents(written, row, retrieval);
    return {
      events: [...events, ...mended.events, ...news],
      answer: (recorded) => decision.answer(recorded.slice(0, events.length)),
    };
  };
}

/** How a copy can be read that a commit put there; undefined where it may have stood there. */
export function retrievalOf({ existed, retrieval }: StorageReceipt): ObjectRetrieval | undefined {
  return retrieval ?? (existed ? undefined : hot);
}

/** None where the row says the same; a copy without a row is hot. */
export function retrievalEvents(
  { address, backend }: Pick<FoundCopy, "address" | "backend">,
  row: CopyRow | undefined,
  retrieval: ObjectRetrieval = hot,
): NewEvent[] {
  const tier = row?.retrievalTier ?? "hot";
  const restore = row?.restoreStatus ?? "none";
  const until = row?.restoredUntil ?? undefined;
  const isKnown =
    tier === retrieval.tier && restore === retrieval.restore && until === retrieval.restoredUntil;
  if (isKnown) return [];
  return [
    {
      type: "v1.object.retrieval_changed",
      subject: objectSubject(address),
      payload: {
        blake3: digestOf(address).bytes,
        backend,
        tier: retrieval.tier,
        restore: retrieval.restore,
        restored_until: retrieval.restoredUntil,
      },
    },
  ];
}

/** Records that a copy that was thought to be readable lies in an archive; says whether it was news. */
export function copyArchived(found: FoundCopy): Decide<boolean> {
  return async ({ sql, now }) => {
    const { address, backend } = found;
    const copy = await findCopy(sql, address, backend);
    if (copy === undefined || isArchived(copy, now) || isNewer(copy, found)) {
      return unchanged(false);
    }
    return changed(
      {
        type: "v1.object.retrieval_changed",
        subject: objectSubject(address),
        payload: { blake3: digestOf(address).bytes, backend, tier: "archive", restore: "none" },
      },
      () => true,
    );
  };
}

/** Records that a backend does not answer as it should, if that is news; says whether it was. */
export function backendFailed(backend: string, reason: StoreErrorCode): Decide<boolean> {
  return async ({ sql }) => {
    const row = await findBackend(sql, backend);
    if (row?.status === "failed") return unchanged(false);
    const payload = { backend, reason };
    const subject = backendSubject(backend);
    return changed({ type: "v1.backend.failed", subject, payload }, () => true);
  };
}

function isNewer({ storedAt, statusAt }: CopyRow, { seen, seenAt }: FoundCopy): boolean {
  if (seen !== undefined) return storedAt !== seen.storedAt || statusAt !== seen.statusAt;
  return seenAt !== undefined && (storedAt > seenAt || (statusAt !== null && statusAt > seenAt));
}
