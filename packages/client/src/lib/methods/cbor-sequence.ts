import { StoreError } from "@store/identity";

/** The bytes of an event as the log keeps them. */
export interface StoredBytes {
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
}

/** CBOR's major types (RFC 8949 §3.1), in the upper three bits of an item's first byte. */
const byteString = 2;
const array = 4;

/**
 * The items of a CBOR sequence (RFC 8742) of `[header, payload]`, two byte strings.
 *
 * @throws {StoreError} `invalid_cbor` where it is anything else
 */
export function* eventSequence(bytes: Uint8Array): Generator<StoredBytes> {
  const reader = new SequenceReader(bytes);
  while (!reader.isAtEnd) {
    reader.expectLength(array, 2);
    const header = reader.byteString();
    const payload = reader.byteString();
    yield { header, payload };
  }
}

class SequenceReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.byteLength;
  }

  expectLength(majorType: number, length: number): void {
    const actual = this.#length(majorType);
    if (actual !== length) throw malformed(this.#offset);
  }

  byteString(): Uint8Array {
    const length = this.#length(byteString);
    const end = this.#offset + length;
    if (end > this.#bytes.byteLength) throw malformed(this.#offset);
    const found = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return found;
  }

  /** The length in an item's head: within its first byte, or in the 1, 2 or 4 after it. */
  #length(majorType: number): number {
    const first = this.#take(1, (at) => this.#view.getUint8(at));
    if (first >> 5 !== majorType) throw malformed(this.#offset);
    const detail = first & 0x1f;
    if (detail < 24) return detail;
    if (detail === 24) return this.#take(1, (at) => this.#view.getUint8(at));
    if (detail === 25) return this.#take(2, (at) => this.#view.getUint16(at));
    if (detail === 26) return this.#take(4, (at) => this.#view.getUint32(at));
    throw malformed(this.#offset);
  }

  #take(sizeBytes: number, read: (offset: number) => number): number {
    const at = this.#offset;
    if (at + sizeBytes > this.#bytes.byteLength) throw malformed(at);
    this.#offset += sizeBytes;
    return read(at);
  }
}

function malformed(offset: number): StoreError {
  return new StoreError(
    "invalid_cbor",
    `The events are no sequence of [header, payload] at byte ${offset}.`,
    { context: { actual: offset } },
  );
}
