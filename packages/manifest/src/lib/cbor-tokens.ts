import { StoreError } from "@store/identity";
import { Token, Tokenizer, Type } from "cborg";
import { argumentOf, endOfItem, headLength, invalidCbor } from "./cbor-heads.ts";

/** The limits that decoding keeps, so that no input can cost more than its size allows. */
export interface TokenLimits {
  /** How many arrays and maps may be nested in one another. */
  readonly maxDepth: number;
  /** How many bytes one item may have, counted from {@link ModelTokenizer.beginItem}. */
  readonly maxItemBytes: number;
}

const decodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
};

/**
 * The tokenizer of `cborg`, held to the value model: it refuses tags, floats, simple values,
 * integers beyond ±(2^53 − 1) and U+0000, and bounds depth and size before anything is built.
 *
 * It does not see the order of keys or bytes that are no UTF-8 (they decode to U+FFFD): both
 * show when the result is encoded again.
 */
export class ModelTokenizer extends Tokenizer {
  readonly #limits: TokenLimits;
  /** How many items each open container still awaits, outermost first. */
  readonly #open: number[] = [];
  #itemStart = 0;

  constructor(bytes: Uint8Array, limits: TokenLimits) {
    super(bytes, decodeOptions);
    this.#limits = limits;
  }

  /** Starts counting the bytes of one item; returns the offset at which it begins. */
  beginItem(): number {
    this.#itemStart = this.pos();
    return this.pos();
  }

  override next(): Token {
    const start = this.pos();
    const token = this.#read(start);
    this.#assertItemLength(this.pos() - this.#itemStart);
    this.#count(token, start);
    return token;
  }

  /** Passes over the next item without building it. Only its outer form is looked at. */
  skipItem(): void {
    const end = endOfItem(this.data, this.pos());
    // eslint-disable-next-line no-underscore-dangle -- the position of the library's tokenizer
    this._pos = end;
    this.#completeItem();
  }

  #read(start: number): Token {
    if (this.done()) throw invalidCbor("the input ends in the middle of an item", start);
    this.#assertStringLength(start);
    let token: Token;
    try {
      token = super.next();
    } catch (cause) {
      throw invalidCbor(reasonOf(cause), start, cause);
    }
    const { type } = token;
    if (type === Type.uint || type === Type.negint) {
      if (!Number.isSafeInteger(token.value)) {
        throw invalidCbor("an integer lies beyond ±(2^53 − 1)", start);
      }
    } else if (type === Type.string) {
      return this.#text(token, start);
    } else if (type === Type.float || type === Type.tag) {
      throw invalidCbor(`a ${type.name} has no place in the value model`, start);
    }
    return token;
  }

  /** Long strings are copied when they are read, so their length is looked at before. */
  #assertStringLength(start: number): void {
    const first = this.data[start];
    if (first !== 0x5a && first !== 0x7a) return;
    const length = argumentOf(this.data, start);
    // A length that is only claimed is refused as such.
    if (start + 5 + length <= this.data.length) this.#assertItemLength(length);
  }

  #assertItemLength(length: number): void {
    const limit = this.#limits.maxItemBytes;
    if (length <= limit) return;
    throw new StoreError(
      "limit_exceeded",
      `The CBOR item at byte ${this.#itemStart} is longer than ${limit} bytes; split the value.`,
      { context: { limit } },
    );
  }

  /** `cborg` reads text with a decoder that drops a leading U+FEFF: it is put back. */
  #text(token: Token, start: number): Token {
    const text: string = token.value;
    if (text.includes("\0")) throw invalidCbor("text holds U+0000", start);
    const first = start + headLength(this.data[start] ?? 0);
    const marked =
      this.data[first] === 0xef && this.data[first + 1] === 0xbb && this.data[first + 2] === 0xbf;
    const end = start + (token.encodedLength ?? 0);
    if (!marked || first + 3 > end) return token;
    return new Token(Type.string, `\uFEFF${text}`, token.encodedLength);
  }

  #count(token: Token, start: number): void {
    const open = this.#open;
    if (token.type === Type.array || token.type === Type.map) {
      if (open.length >= this.#limits.maxDepth) {
        throw new StoreError(
          "limit_exceeded",
          `CBOR at byte ${start} is nested more than ${this.#limits.maxDepth} deep;` +
            " flatten the value.",
          { context: { limit: this.#limits.maxDepth } },
        );
      }
      const items: number = token.type === Type.map ? token.value * 2 : token.value;
      if (items > 0) {
        open.push(items);
        return;
      }
    }
    this.#completeItem();
  }

  #completeItem(): void {
    const open = this.#open;
    for (let top = open.length - 1; top >= 0; top -= 1) {
      const left = (open[top] ?? 0) - 1;
      open[top] = left;
      if (left > 0) return;
      open.pop();
    }
  }
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/^CBOR decode error: /, "");
}
