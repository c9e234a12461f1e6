import { digestOf, type ContentAddress, type StoreErrorCode } from "@store/identity";

import { backendSubject, objectSubject } from "../events/subjects.ts";
import { findBackend, findCopy, isArchived, type CopyRow } from "../queries/copies.ts";
import { together } from "../together.ts";
import { changed, unchanged, type Decide } from "./decision.ts";

/** A copy about which something was found out. */
export interface FoundCopy {
  readonly address: ContentAddress;
  readonly backend: string;
  /**
   * When the look at it began: what was recorded about the copy since then is newer, and stands.
   * RFC 3339 UTC with milliseconds.
   */
  readonly seenAt?: string;
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

/** The same, and that a copy that was missing or corrupt is whole, in one transaction. */
export function alsoMended<Answer>(decide: Decide<Answer>, found: FoundCopy): Decide<Answer> {
  const decideMended = copyMended(found);
  return async (view) => {
    const [decision, mended] = await together([decide(view), decideMended(view)]);
    const { events } = decision;
    return {
      events: [...events, ...mended.events],
      answer: (recorded) => decision.answer(recorded.slice(0, events.length)),
    };
  };
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

function isNewer({ storedAt, statusAt }: CopyRow, { seenAt }: FoundCopy): boolean {
  return seenAt !== undefined && (storedAt > seenAt || (statusAt !== null && statusAt > seenAt));
}
