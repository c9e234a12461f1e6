import { Type } from "cborg";
import type { CborValue } from "./cbor-model.ts";
import { invalidCbor } from "./cbor-heads.ts";
import { ModelTokenizer, type TokenLimits } from "./cbor-tokens.ts";
import { encodeModelValue, plainBytes, readCanonicalItem } from "./cbor.ts";
import type { SkippingCursor } from "./cursor.ts";

/** Accepts, piece by piece, what `decodeCbor` accepts at once. */
export class CborCursor implements SkippingCursor {
  readonly #tokenizer: ModelTokenizer;
  #lastKey: Uint8Array | undefined;
  #entriesLeft = 0;
  #elementsLeft = 0;

  constructor(bytes: Uint8Array, limits: TokenLimits) {
    this.#tokenizer = new ModelTokenizer(plainBytes(bytes), limits);
  }

  enterMap(): boolean {
    const entries = this.#enter(Type.map);
    this.#entriesLeft = entries ?? 0;
    return entries !== undefined;
  }

  nextKey(): string | undefined {
    if (this.#entriesLeft === 0) return undefined;
    this.#entriesLeft -= 1;
    const start = this.#tokenizer.pos();
    const key = this.item();
    if (typeof key !== "string") throw invalidCbor("a map key is not text", start);
    // The item was held against its canonical form, so these bytes are it.
    const encoded = this.#tokenizer.data.subarray(start, this.#tokenizer.pos());
    if (this.#lastKey && compareBytes(this.#lastKey, encoded) >= 0) {
      throw invalidCbor("map keys are not sorted or one is repeated", start);
    }
    this.#lastKey = encoded;
    return key;
  }

  enterArray(): boolean {
    const elements = this.#enter(Type.array);
    this.#elementsLeft = elements ?? 0;
    return elements !== undefined;
  }

  hasElement(): boolean {
    if (this.#elementsLeft === 0) return false;
    this.#elementsLeft -= 1;
    return true;
  }

  item(): CborValue {
    return readCanonicalItem(this.#tokenizer);
  }

  skip(): void {
    this.#tokenizer.skipItem();
  }

  end(): void {
    if (this.#tokenizer.done()) return;
    throw invalidCbor("bytes follow the value", this.#tokenizer.pos());
  }

  #enter(type: Type): number | undefined {
    const start = this.#tokenizer.beginItem();
    const major = (this.#tokenizer.data[start] ?? 0) >> 5;
    if (this.#tokenizer.done() || major !== type.major) return undefined;
    const count: number = this.#tokenizer.next().value;
    return count;
  }
}

/** The head of an array of `length` items, or of a map of as many entries (RFC 8949 §3). */
export function containerHead(kind: "array" | "map", length: number): Uint8Array {
  const major = (kind === "array" ? Type.array : Type.map).majorEncoded;
  // The head of a container differs from that of an unsigned integer by its major type only.
  const head = encodeModelValue(length).slice();
  head[0] = (head[0] ?? 0) | major;
  return head;
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
