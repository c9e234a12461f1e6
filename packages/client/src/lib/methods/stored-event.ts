import { contentAddress, createHasher, Digest, StoreError } from "@store/identity";
import { decodeCbor } from "@store/manifest";
import * as v from "valibot";

import type { StoredBytes } from "./cbor-sequence.ts";

/** An event as it stands in the log: header and payload byte for byte as they were written. */
export interface StoredEvent extends StoredBytes {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly actor: string;
  readonly subject: string;
  readonly payloadSha256: Uint8Array;
}

const headerSchema = v.object({
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  id: v.string(),
  type: v.string(),
  occurred_at: v.string(),
  actor: v.string(),
  subject: v.string(),
  payload_sha256: v.instance(Uint8Array),
});

/**
 * Reads an event's header, and holds the payload against the digest in it.
 *
 * @throws {StoreError} `invalid_cbor` or `invalid_event` for what is no header, `log_corrupt` where
 *   the payload is another
 */
export async function decodeStoredEvent({ header, payload }: StoredBytes): Promise<StoredEvent> {
  const parsed = v.safeParse(headerSchema, decodeCbor(header));
  if (!parsed.success) {
    const path = v.getDotPath(parsed.issues[0]) ?? "";
    throw new StoreError("invalid_event", `The event header's "${path}" is wrong.`, {
      context: { path },
    });
  }
  const { occurred_at, payload_sha256, ...fields } = parsed.output;
  const expected = Digest.of("sha256", payload_sha256);
  const hasher = await createHasher("sha256");
  hasher.update(payload);
  const actual = hasher.digest();
  if (!actual.equals(expected)) {
    throw new StoreError("log_corrupt", `The payload of event ${fields.seq} is another.`, {
      context: { expected: contentAddress(expected), actual: contentAddress(actual) },
    });
  }
  return { ...fields, occurredAt: occurred_at, header, payload, payloadSha256: payload_sha256 };
}
