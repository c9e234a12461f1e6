import { parseContentAddress, type ContentAddress } from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

const copyStatus = v.picklist(["ok", "missing", "corrupt"]);
const tier = v.picklist(["hot", "archive"]);
const restoreStatus = v.picklist(["none", "requested", "restored"]);
const restoreSpeed = v.picklist(["expedited", "standard", "bulk"]);

/** The copies of an object. */
export const objectLocationsSchema = v.object({
  content_address: field.contentAddress,
  sha256: field.contentAddress,
  size: field.count,
  copies: v.array(
    v.object({
      backend: field.backendName,
      configured: v.pipe(v.boolean(), v.description("Whether there is a backend of that name.")),
      stored_at: field.time,
      status: copyStatus,
      status_at: v.optional(field.time),
      tier: v.pipe(tier, v.description("`archive`: it has to be restored before it is read.")),
      restore: restoreStatus,
      restored_until: v.optional(field.time),
    }),
  ),
});
export type ObjectLocationsJson = v.InferOutput<typeof objectLocationsSchema>;

/** An object at one backend, as the instance knows it. */
export interface ObjectCopy {
  readonly backend: string;
  /** Whether a backend of that name is configured, so that the copy can be reached. */
  readonly configured: boolean;
  readonly storedAt: string;
  /** What was found when it was last read or looked for; `ok` also where nobody has. */
  readonly status: "ok" | "missing" | "corrupt";
  /** Since when, where the status has ever changed. */
  readonly statusAt?: string;
  /** `archive`: it can be read only once it is restored. */
  readonly tier: "hot" | "archive";
  readonly restore: "none" | "requested" | "restored";
  /** Until when a restored copy can be read, where the backend says so. */
  readonly restoredUntil?: string;
}

export interface ObjectLocations {
  readonly object: {
    readonly address: ContentAddress;
    readonly sha256: ContentAddress;
    readonly sizeBytes: number;
  };
  /** In order of backend name. */
  readonly copies: readonly ObjectCopy[];
}

/** How an archive is asked for an object. */
export const restoreObjectSchema = v.strictObject({
  days: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1),
    v.maxValue(365),
    v.description("For how many days it can be read then."),
  ),
  speed: v.optional(
    v.pipe(restoreSpeed, v.description("Slower costs less; `standard` unless given.")),
  ),
  backend: v.optional(field.backendName),
});

export function encodeObjectLocations({ object, copies }: ObjectLocations): ObjectLocationsJson {
  return {
    content_address: object.address,
    sha256: object.sha256,
    size: object.sizeBytes,
    copies: copies.map((copy) => ({
      backend: copy.backend,
      configured: copy.configured,
      stored_at: copy.storedAt,
      status: copy.status,
      status_at: copy.statusAt,
      tier: copy.tier,
      restore: copy.restore,
      restored_until: copy.restoredUntil,
    })),
  };
}

export function decodeObjectLocations(json: ObjectLocationsJson): ObjectLocations {
  return {
    object: {
      address: parseContentAddress(json.content_address),
      sha256: parseContentAddress(json.sha256),
      sizeBytes: json.size,
    },
    copies: json.copies.map(({ stored_at, status_at, restored_until, ...copy }) =>
      present({
        ...copy,
        storedAt: stored_at,
        statusAt: status_at,
        restoredUntil: restored_until,
      }),
    ),
  };
}
