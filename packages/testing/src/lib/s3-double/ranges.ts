import { S3Error } from "./errors.ts";

/** Bytes `start` to `start + length - 1`. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * Reads a `Range` of one range. One that cannot be read is ignored, as HTTP wants and S3 does;
 * so are several. Throws `S3Error` `InvalidRange` where no byte is in it.
 */
export function parseRange(text: string | undefined, size: number): ByteRange | undefined {
  const found = /^bytes=(\d*)-(\d*)$/u.exec(text?.trim() ?? "");
  const [, first, last] = found ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === "" && Number(last) === 0)) {
    throw new S3Error("InvalidRange", {
      RangeRequested: text ?? "",
      ActualObjectSize: String(size),
    });
  }
  return { start, length: end - start + 1 };
}
