import type { NamePattern } from "@store/identity";

/** `namespace` and `name`, in whose order packages and names are listed. */
export type NameKey = readonly [namespace: string, name: string];

/** The names from `from` to before `to`. */
export interface NameRange {
  readonly from: NameKey;
  readonly to: NameKey;
}

// No character of a name is below "!" or above "~", so that these end what begins with a text.
/** What comes first behind a text, before everything that it begins. */
export const next = (text: string): string => `${text}!`;
/** What comes first behind everything that begins so. */
export const beyond = (prefix: string): string => `${prefix}~`;

/** The names that a pattern covers. */
export function rangeOf({ namespace, name }: NamePattern): NameRange {
  if (namespace.isPrefix) return { from: [namespace.text, ""], to: [beyond(namespace.text), ""] };
  const to = name.isPrefix ? beyond(name.text) : next(name.text);
  return { from: [namespace.text, name.text], to: [namespace.text, to] };
}

/** The names that any of the patterns covers: sorted and apart from one another. */
export function rangesOf(patterns: readonly NamePattern[]): readonly NameRange[] {
  const sorted = patterns.map(rangeOf).sort((one, other) => compareNames(one.from, other.from));
  const merged: NameRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || compareNames(range.from, last.to) > 0) merged.push(range);
    else if (compareNames(range.to, last.to) > 0) merged.splice(-1, 1, { ...last, to: range.to });
  }
  return merged;
}

/** The parts of the ranges, in order, that lie within `whole`. */
export function rangesWithin(ranges: readonly NameRange[], whole: NameRange): NameRange[] {
  return ranges
    .map(({ from, to }) => ({ from: later(from, whole.from), to: earlier(to, whole.to) }))
    .filter(({ from, to }) => compareNames(from, to) < 0);
}

/** Whether one of the ranges holds the name. */
export function rangesHold(ranges: readonly NameRange[], name: NameKey): boolean {
  return ranges.some(({ from, to }) => compareNames(from, name) <= 0 && compareNames(name, to) < 0);
}

/** The order of lists. Names are ASCII, so that it is bytewise too. */
export function compareNames(one: NameKey, other: NameKey): number {
  return compareTexts(one[0], other[0]) || compareTexts(one[1], other[1]);
}

/** The bytewise order of two texts in ASCII: below zero where `one` comes first. */
export function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function later(one: NameKey, other: NameKey): NameKey {
  return compareNames(one, other) < 0 ? other : one;
}

function earlier(one: NameKey, other: NameKey): NameKey {
  return compareNames(one, other) < 0 ? one : other;
}
