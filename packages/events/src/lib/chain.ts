import { StoreError } from "@store/identity";

import { actorFault, idFault, subjectFault, timeFault, typeFault } from "./event-rules.ts";
import type { LogHead } from "./head.ts";
import { encodeHeader } from "./encode-header.ts";
import { decodeHeader, type EventHeader } from "./header.ts";
import { appendLeaf, emptyTree, leafHash, rootOf, sha256, type MerkleTree } from "./merkle.ts";
import type { StoredEvent } from "./stored-event.ts";

/** What is proved of a log by its first events. */
export interface Chain {
  readonly logId: string;
  readonly tree: MerkleTree;
  readonly lastOccurredAt: string;
}

/** The chain of a log before its first event. */
export function emptyChain(logId: string): Chain {
  return { logId, tree: emptyTree, lastOccurredAt: "" };
}

/**
 * The chain with one stored event more, once its place, time, columns, header and payload are
 * held against one another. Encoding the columns again is quicker than decoding the header and
 * as strict, since they make one header only.
 *
 * @throws {StoreError} `log_corrupt` naming the event and what differs
 */
export function extendChain(chain: Chain, event: StoredEvent): Chain {
  const seq = chain.tree.size + 1;
  if (event.seq !== seq) throw missing(seq);
  const stated = statedHeader(chain.logId, event);
  if (!sameBytes(encodedHeader(stated), event.header)) throw diagnose(stated, event.header);
  const { logId, lastOccurredAt } = chain;
  const { occurredAt } = event;
  if (occurredAt < lastOccurredAt) {
    throw corrupt(seq, `its time ${occurredAt} is before ${lastOccurredAt} of the one before it`);
  }
  const tree = appendLeaf(chain.tree, leafHash(event.header));
  return { logId, tree, lastOccurredAt: occurredAt };
}

/**
 * Holds the chain over all events of a head against that head.
 *
 * @throws {StoreError} `log_corrupt` where the size, the root or the frontier differ
 */
export function assertReachesHead({ tree }: Chain, head: LogHead): void {
  if (tree.size !== head.size) throw missing(tree.size + 1);
  const expected = hex(head.root);
  const actual = hex(rootOf(tree));
  if (actual !== expected) {
    const what = `the events up to it have the root ${actual}, and the head says ${expected}`;
    throw corrupt(head.size, what, { expected, actual });
  }
  const same = tree.frontier.every((node, at) => sameBytes(node, head.frontier[at] ?? node));
  if (!same) throw corrupt(head.size, "the events up to it have another frontier than the head");
}

/** `log_corrupt`: event `seq`, and what is wrong with it. */
export function corrupt(
  seq: number,
  reason: string,
  { cause, ...context }: { expected?: string; actual?: string; cause?: unknown } = {},
): StoreError {
  return new StoreError(
    "log_corrupt",
    `Event ${seq} of the log is not as it was written: ${reason}. Restore the database from a ` +
      "backup.",
    { cause, context: { reference: String(seq), ...context } },
  );
}

/** `log_corrupt`: event `seq` should be there and is not. */
export function missing(seq: number): StoreError {
  return corrupt(seq, "it is missing");
}

function statedHeader(logId: string, event: StoredEvent): EventHeader {
  const { seq, id, type, occurredAt, actor, subject, payload } = event;
  const payloadSha256 = sha256(payload);
  const payloadSize = payload.byteLength;
  return { logId, seq, id, type, occurredAt, actor, subject, payloadSha256, payloadSize };
}

function encodedHeader(stated: EventHeader): Uint8Array {
  try {
    return encodeHeader(stated);
  } catch (cause) {
    throw corrupt(stated.seq, "its columns make no header", { cause });
  }
}

/**
 * Holds the fields of an event against their rules.
 *
 * @throws {StoreError} `log_corrupt` naming the event and the rule
 */
export function assertFaultless({ seq, id, type, occurredAt, actor, subject }: StoredEvent): void {
  const faults = {
    id: idFault(id),
    type: typeFault(type),
    time: timeFault(occurredAt),
    actor: actorFault(actor),
    subject: subjectFault(subject),
  };
  for (const [field, fault] of Object.entries(faults)) {
    if (fault !== undefined) throw corrupt(seq, `its ${field} breaks the rule, ${fault}`);
  }
}

/** Says why `header` is not the one that columns and payload make. */
function diagnose(stated: EventHeader, header: Uint8Array): StoreError {
  const { seq } = stated;
  let written: EventHeader;
  try {
    written = decodeHeader(header);
  } catch (cause) {
    return corrupt(seq, "its header cannot be read", { cause });
  }
  const difference = (field: keyof EventHeader, what: string): StoreError | undefined => {
    const expected = shown(written[field]);
    const actual = shown(stated[field]);
    if (actual === expected) return undefined;
    const reason = `${what} is "${actual}", and its header says "${expected}"`;
    return corrupt(seq, reason, { expected, actual });
  };
  return (
    difference("logId", "the log") ??
    difference("seq", "its place") ??
    difference("id", "its id") ??
    difference("type", "its type") ??
    difference("occurredAt", "its time") ??
    difference("actor", "its actor") ??
    difference("subject", "its subject") ??
    difference("payloadSize", "the size of its payload") ??
    difference("payloadSha256", "the SHA-256 of its payload") ??
    corrupt(seq, "its header has other bytes")
  );
}

function shown(value: string | number | Uint8Array): string {
  return value instanceof Uint8Array ? hex(value) : String(value);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
