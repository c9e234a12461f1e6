import { StoreError } from "@store/identity";

import { eventLimits } from "./event-rules.ts";
import type { EventHeader } from "./header.ts";

/*
 * Every event's header is encoded when it is appended, and again when it is verified or replayed.
 * All headers have the same keys in the same order, so their encodings are at hand and the values
 * go straight into one buffer: a third of the time of the general codec, against which tests hold
 * it.
 */

const unsignedInteger = 0x00;
const byteString = 0x40;
const textString = 0x60;
const map = 0xa0;

const keys = {
  id: key("id"),
  seq: key("seq"),
  type: key("type"),
  actor: key("actor"),
  logId: key("log_id"),
  subject: key("subject"),
  occurredAt: key("occurred_at"),
  payloadSize: key("payload_size"),
  payloadSha256: key("payload_sha256"),
};

/** A key is shorter than 24 bytes, so one byte says that it is text and how long. */
function key(name: string): Uint8Array {
  return Uint8Array.of(textString + name.length, ...Buffer.from(name));
}

// Encoding is synchronous, so one buffer serves every header. What stands around a value has less
// than 32 bytes and is written before the length is looked at.
const output = Buffer.allocUnsafeSlow(eventLimits.headerBytes + 32);
let end = 0;

/**
 * The canonical CBOR of a header (RFC 8949 section 4.2.1), at most 4 KiB. The fields must obey
 * their rules already, which `decodeHeader` holds them to.
 *
 * @throws {StoreError} `invalid_event` where a value cannot be encoded, `limit_exceeded` where it
 *   becomes too long
 */
export function encodeHeader(header: EventHeader): Uint8Array {
  output[0] = map + Object.keys(keys).length;
  end = 1;
  writeText(keys.id, header.id);
  writeInteger(keys.seq, header.seq);
  writeText(keys.type, header.type);
  writeText(keys.actor, header.actor);
  writeText(keys.logId, header.logId);
  writeText(keys.subject, header.subject);
  writeText(keys.occurredAt, header.occurredAt);
  writeInteger(keys.payloadSize, header.payloadSize);
  writeBytes(keys.payloadSha256, header.payloadSha256);
  return new Uint8Array(output.subarray(0, end));
}

function writeText(name: Uint8Array, text: string): void {
  if (!text.isWellFormed() || text.includes("\0")) {
    throw new StoreError("invalid_event", "A text of an event has a lone surrogate or U+0000.");
  }
  const size = Buffer.byteLength(text);
  writeKey(name);
  writeHead(textString, size);
  assertRoom(size);
  end += output.write(text, end, size, "utf8");
}

function writeBytes(name: Uint8Array, bytes: Uint8Array): void {
  writeKey(name);
  writeHead(byteString, bytes.byteLength);
  assertRoom(bytes.byteLength);
  output.set(bytes, end);
  end += bytes.byteLength;
}

function writeInteger(name: Uint8Array, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new StoreError("invalid_event", `${value} cannot be a number of an event.`);
  }
  writeKey(name);
  writeHead(unsignedInteger, value);
  assertRoom(0);
}

function writeKey(name: Uint8Array): void {
  output.set(name, end);
  end += name.byteLength;
}

/** The type of an item and its length or value, in the shortest form. */
function writeHead(type: number, value: number): void {
  if (value < 24) {
    output[end] = type + value;
    end += 1;
  } else if (value < 2 ** 8) {
    output[end] = type + 24;
    end = output.writeUInt8(value, end + 1);
  } else if (value < 2 ** 16) {
    output[end] = type + 25;
    end = output.writeUInt16BE(value, end + 1);
  } else if (value < 2 ** 32) {
    output[end] = type + 26;
    end = output.writeUInt32BE(value, end + 1);
  } else {
    output[end] = type + 27;
    output.writeUInt32BE(Math.floor(value / 2 ** 32), end + 1);
    end = output.writeUInt32BE(value % 2 ** 32, end + 5);
  }
}

function assertRoom(size: number): void {
  const limit = eventLimits.headerBytes;
  if (end + size <= limit) return;
  throw new StoreError("limit_exceeded", `An event's header has more than ${limit} bytes.`, {
    context: { limit },
  });
}
