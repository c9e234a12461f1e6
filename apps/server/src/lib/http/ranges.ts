import type { ResolvedRange } from "@store/storage";

/** A longer `Range` is not looked at: 100 ranges of the largest files have room. */
const headerLength = 8 * 1024;
/** More than that, after joining, is answered with the whole. */
const rangeLimit = 100;
/** What lies between two ranges is sent along where that takes less than a part's header. */
const joinedGapBytes = 128;

/**
 * The ranges of `sizeBytes` that a `Range` header asks for (RFC 9110 §14.2), each of at least one
 * byte. `whole` where there is no header, or one that may be ignored: of another unit, malformed,
 * for too many ranges, or of an empty representation. `unsatisfiable` where no range begins within
 * it. Ranges that overlap or nearly touch are joined, and then in ascending order; else they stand
 * as they were asked.
 */
export function selectRanges(
  header: string | undefined,
  sizeBytes: number,
): readonly ResolvedRange[] | "whole" | "unsatisfiable" {
  if (header === undefined || header.length > headerLength || sizeBytes === 0) return "whole";
  const set = /^bytes=(.*)$/i.exec(header)?.[1];
  if (set === undefined) return "whole";
  const asked: ResolvedRange[] = [];
  let count = 0;
  for (const member of set.split(",")) {
    const text = member.trim();
    if (text === "") continue;
    count += 1;
    const range = resolve(text, sizeBytes);
    if (range === "malformed") return "whole";
    if (range !== "outside") asked.push(range);
  }
  if (count === 0) return "whole";
  if (asked.length === 0) return "unsatisfiable";
  const joined = join(asked);
  if (joined.length > rangeLimit) return "whole";
  return joined.length === asked.length ? asked : joined;
}

/** One `int-range` or `suffix-range` (RFC 9110 §14.1.2). */
function resolve(text: string, sizeBytes: number): ResolvedRange | "malformed" | "outside" {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(text) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) {
    return "malformed";
  }
  if (first === "") {
    const suffixBytes = Math.min(Number(last), sizeBytes);
    return suffixBytes === 0 ? "outside" : { start: sizeBytes - suffixBytes, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "malformed";
  if (start >= sizeBytes) return "outside";
  return { start, end: last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

function join(ranges: readonly ResolvedRange[]): ResolvedRange[] {
  const joined: ResolvedRange[] = [];
  for (const range of ranges.toSorted((one, other) => one.start - other.start)) {
    const before = joined.at(-1);
    if (before === undefined || range.start > before.end + joinedGapBytes) joined.push(range);
    else joined[joined.length - 1] = { ...before, end: Math.max(before.end, range.end) };
  }
  return joined;
}

/** The `Content-Range` of a part (RFC 9110 §14.4). */
export function contentRange({ start, end }: ResolvedRange, sizeBytes: number): string {
  return `bytes ${start}-${end - 1}/${sizeBytes}`;
}

/** The `Content-Range` of an answer that no range satisfies. */
export function unsatisfiedRange(sizeBytes: number): string {
  return `bytes */${sizeBytes}`;
}
