import * as v from "valibot";

import { count, digest, name, text, time } from "./fields.ts";

/** The object that a copy is of: its BLAKE3 digest, and the backend that holds it. */
const copy = { blake3: digest, backend: name } as const;

/** Why a backend did not answer, as an error code; never a message, which may name a place. */
const reason = text(64);

/** What happens to the copies of objects and to the backends that hold them. */
export const copyEventSchemas = {
  /** A copy stands there whose digest was held against the object's; a damaged one is replaced. */
  "v1.object.copied": v.strictObject({ ...copy, from: name }),
  /** A copy that should be there is not, or is not what its address says. */
  "v1.object.damaged": v.strictObject({ ...copy, finding: v.picklist(["missing", "corrupt"]) }),
  /** A copy that was missing or corrupt was found whole again. */
  "v1.object.mended": v.strictObject(copy),
  /** A copy was removed from its backend on purpose. */
  "v1.object.removed": v.strictObject({ ...copy, reason: v.picklist(["evacuated"]) }),
  /** The archive was asked for a copy. */
  "v1.object.restore_requested": v.strictObject({
    ...copy,
    days: count,
    speed: v.picklist(["expedited", "standard", "bulk"]),
  }),
  /** What has to be done before a copy can be read is another thing than before. */
  "v1.object.retrieval_changed": v.strictObject({
    ...copy,
    tier: v.picklist(["hot", "archive"]),
    restore: v.picklist(["none", "requested", "restored"]),
    restored_until: v.optional(time),
  }),
  /** A backend does not answer, or not as it should. */
  "v1.backend.failed": v.strictObject({ backend: name, reason }),
  /** A backend that failed answers again. */
  "v1.backend.recovered": v.strictObject({ backend: name }),
} as const;

const prefixes = [
  ...new Set(Object.keys(copyEventSchemas).map((type) => type.replace(/[^.]*$/, ""))),
];

/** Whether a type is about copies or backends, which stand under no name: those who run the instance read it. */
export function isAboutCopies(type: string): boolean {
  return prefixes.some((prefix) => type.startsWith(prefix));
}
