/** Chance that is the same in every run. */
export interface Chance {
  /** An integer from 0 to `below` − 1. */
  below(below: number): number;
  pick<T>(choices: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/** The generator "mulberry32", which is enough to vary inputs. */
export function chanceOf(seed: number): Chance {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    pick(choices) {
      const choice = choices[below(choices.length)];
      if (choice === undefined) throw new Error("There is nothing to choose from.");
      return choice;
    },
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}

/** Heads that matter, so that random bytes are CBOR more often than by chance. */
const heads = [
  0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x37, 0x38, 0x3b, 0x40, 0x41, 0x58, 0x5f, 0x60,
  0x61, 0x62, 0x63, 0x78, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x98, 0x9b, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3,
  0xb8, 0xbb, 0xbf, 0xc0, 0xd9, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xff, 0x00, 0xef,
];

/** Bytes that may be CBOR. */
export function randomBytes(chance: Chance): Uint8Array {
  const length = chance.below(24);
  return Uint8Array.from({ length }, () =>
    chance.below(4) === 0 ? chance.below(256) : chance.pick(heads),
  );
}

/** Changes bytes in one to three places. */
export function mutateBytes(bytes: Uint8Array, chance: Chance): Uint8Array {
  let mutated = bytes;
  for (let count = 1 + chance.below(3); count > 0; count -= 1)
    mutated = mutateOnce(mutated, chance);
  return mutated;
}

function mutateOnce(bytes: Uint8Array, chance: Chance): Uint8Array {
  const at = chance.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + chance.below(9));
  const before = bytes.subarray(0, at);
  switch (chance.below(7)) {
    case 0:
      return before.slice();
    case 1:
      return join(before, bytes.subarray(end));
    case 2:
      return join(before, chance.bytes(1 + chance.below(4)), bytes.subarray(at));
    case 3:
      return join(before, bytes.subarray(at, end), bytes.subarray(at));
    case 4:
      return join(before, Uint8Array.of(chance.pick(heads)), bytes.subarray(at + 1));
    case 5: {
      const from = chance.below(bytes.length + 1);
      return join(before, bytes.subarray(from, from + 12), bytes.subarray(end));
    }
    default: {
      const flipped = bytes.slice();
      if (at < bytes.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << chance.below(8));
      return flipped;
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

type Tree = { [key: string]: unknown } | unknown[];

/** Values that are almost right in one place or another. */
const strangers: readonly unknown[] = [
  [null, true, false, 0, 1, -1, 2 ** 53 - 1, "", "a", "a/b", "../a", "e\u0301", "\u{1f600}"],
  ["blake3:", "sha256", "text/plain", "2026-01-02T03:04:05.678Z", "2026-02-30T00:00:00.000Z"],
  ["primary", "__proto__", {}, [], [1], { a: 1 }, new Uint8Array(0), new Uint8Array(32)],
  [new Uint8Array(Buffer.from("{}")), new Uint8Array(Buffer.from('{"b":1,"a":2}'))],
].flat();

/** Changes one place within a value: a field, an entry, their order, their number. */
export function mutateTree<T>(value: T, chance: Chance): T {
  const copy = structuredClone(value);
  const trees: Tree[] = [];
  gather(copy, trees);
  const tree = chance.pick(trees);
  if (Array.isArray(tree)) mutateArray(tree, chance);
  else mutateMap(tree, chance);
  return copy;
}

function gather(value: unknown, trees: Tree[]): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  trees.push(value as Tree);
  for (const item of Object.values(value)) gather(item, trees);
}

function mutateArray(array: unknown[], chance: Chance): void {
  const at = chance.below(array.length + 1);
  switch (chance.below(4)) {
    case 0:
      array.splice(at, 1);
      break;
    case 1:
      array.splice(at, 0, array[chance.below(array.length + 1)] ?? chance.pick(strangers));
      break;
    case 2:
      array.reverse();
      break;
    default:
      array[Math.min(at, array.length)] = chance.pick(strangers);
  }
}

function mutateMap(map: { [key: string]: unknown }, chance: Chance): void {
  const keys = Object.keys(map);
  const key = keys[chance.below(keys.length + 1)] ?? "extra";
  const value = map[key];
  switch (chance.below(4)) {
    case 0:
      delete map[key];
      break;
    case 1:
      delete map[key];
      map[`${key}x`] = value ?? null;
      break;
    case 2:
      map[key] = keys.length > 0 ? map[chance.pick(keys)] : chance.pick(strangers);
      break;
    default:
      map[key] = chance.pick(strangers);
  }
}
