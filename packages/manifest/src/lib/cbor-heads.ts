import { StoreError } from "@store/identity";

/** The length of an item's head, by its first byte (RFC 8949 §3). */
export function headLength(first: number): number {
  const additional = first & 31;
  return additional < 24 ? 1 : 1 + 2 ** (additional - 24);
}

/** The argument in the head at `start`: a number, a length or a count (RFC 8949 §3). */
export function argumentOf(bytes: Uint8Array, start: number): number {
  const first = bytes[start] ?? 0;
  const additional = first & 31;
  if (additional < 24) return additional;
  let argument = 0;
  for (let index = 1; index < headLength(first); index += 1) {
    argument = argument * 256 + (bytes[start + index] ?? 0);
  }
  return argument;
}

/**
 * The offset after the item at `start`, found by heads alone: nothing is built or compared.
 *
 * @throws {StoreError} `invalid_cbor` where the input ends before, or where the model has no such
 *   head
 */
export function endOfItem(bytes: Uint8Array, start: number): number {
  let position = start;
  for (let itemsLeft = 1; itemsLeft > 0; itemsLeft -= 1) {
    const first = bytes[position];
    if (first === undefined) throw invalidCbor("the input ends in the middle of an item", position);
    const major = first >> 5;
    if ((first & 31) > 27 || major === 6 || (major === 7 && (first < 0xf4 || first > 0xf6))) {
      throw invalidCbor("the item has no place in the value model", position);
    }
    const argument = argumentOf(bytes, position);
    position += headLength(first);
    if (major === 2 || major === 3) position += argument;
    else if (major === 4) itemsLeft += argument;
    else if (major === 5) itemsLeft += argument * 2;
  }
  if (position > bytes.length) throw invalidCbor("the input ends in the middle of an item", start);
  return position;
}

/** The refusal of bytes that are no canonical CBOR, with the offset at which that shows. */
export function invalidCbor(reason: string, offset: number, cause?: unknown): StoreError {
  return new StoreError(
    "invalid_cbor",
    `Not canonical CBOR at byte ${offset}: ${reason}. Encode it as RFC 8949 section 4.2.1 says.`,
    cause === undefined ? {} : { cause },
  );
}
