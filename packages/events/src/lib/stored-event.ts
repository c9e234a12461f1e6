import type { Row } from "@store/database";

import { hashBytes } from "./merkle.ts";

/** An event as it stands in the log: header and payload byte for byte as they were written. */
export interface StoredEvent {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly actor: string;
  readonly subject: string;
  /** Canonical CBOR of the header; the leaf of the tree. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  readonly payloadSha256: Uint8Array;
}

/** Some events in order, and whether they are all that was asked for. */
export interface EventPage {
  readonly events: StoredEvent[];
  /** False where a limit cut the page short and there may be more. */
  readonly complete: boolean;
}

/** The event of a row. */
export function storedEvent(row: Row<"events">): StoredEvent {
  return { ...row, payloadSha256: statedPayloadSha256(row.header) };
}

/**
 * The payload's digest as the header states it, without decoding it: `payload_sha256` is the
 * longest key, so in canonical CBOR it comes last.
 */
function statedPayloadSha256(header: Uint8Array): Uint8Array {
  return header.subarray(-hashBytes);
}
