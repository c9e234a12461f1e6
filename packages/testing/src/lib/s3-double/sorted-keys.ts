/** Orders text as its UTF-8 bytes are ordered; `<` orders UTF-16 units, which differs. */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    // Surrogates stand for what comes after U+FFFF, though their units are lower.
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** Keys in the order in which S3 lists them. */
export class SortedKeys {
  readonly #keys: string[] = [];

  add(key: string): void {
    const at = this.position(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  remove(key: string): void {
    const at = this.position(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** Where the first key stands that is not below this one. */
  position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#keys[middle] ?? "", key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(position: number): string | undefined {
    return this.#keys[position];
  }

  all(): readonly string[] {
    return [...this.#keys];
  }
}
