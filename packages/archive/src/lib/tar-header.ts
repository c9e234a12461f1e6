import { modifiedSeconds } from "./entry.ts";

/** POSIX.1-2024, `pax` utility, "ustar Interchange Format": everything is in blocks of this size. */
export const blockBytes = 512;

/** What eleven octal digits cannot hold: 8 GiB. */
const paxSizeFromBytes = 8 ** 11;
const nameLimitBytes = 100;
const prefixLimitBytes = 155;
const encoder = new TextEncoder();
const asciiPattern = /^[\x20-\x7e]*$/u;

/** The header blocks of a file, with those of its pax extension before it where it needs one. */
export function tarHeader(path: string, sizeBytes: number, mode: number): Uint8Array {
  const records = paxRecords(path, sizeBytes);
  if (records.length === 0) {
    const { prefix, name } = splitPath(path) ?? { prefix: "", name: path };
    return ustarBlock({ name, prefix, sizeBytes, mode, type: "0" });
  }
  const blocks = new Uint8Array(2 * blockBytes + paddedBytes(records.length));
  blocks.set(
    ustarBlock({
      // Read as a file only by programs that know no pax; the same name as in other writers.
      name: "././@PaxHeader",
      prefix: "",
      sizeBytes: records.length,
      mode: 0o644,
      type: "x",
    }),
  );
  blocks.set(records, blockBytes);
  const shown = sizeBytes < paxSizeFromBytes ? sizeBytes : 0;
  blocks.set(
    ustarBlock({ name: fallbackName(path), prefix: "", sizeBytes: shown, mode, type: "0" }),
    blocks.length - blockBytes,
  );
  return blocks;
}

/** How many bytes {@link tarHeader} gives. */
export function tarHeaderBytes(path: string, sizeBytes: number): number {
  const records = paxRecords(path, sizeBytes);
  return records.length === 0 ? blockBytes : 2 * blockBytes + paddedBytes(records.length);
}

/** `bytes` rounded up to whole blocks. */
export function paddedBytes(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

/** The pax records ("pax Extended Header") of what a ustar header cannot say, in UTF-8. */
function paxRecords(path: string, sizeBytes: number): Uint8Array {
  let records = "";
  if (splitPath(path) === undefined) records += paxRecord("path", path);
  if (sizeBytes >= paxSizeFromBytes) records += paxRecord("size", String(sizeBytes));
  return encoder.encode(records);
}

/** `"%d %s=%s\n"`, where the number counts the whole record, its own digits included. */
function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  const restBytes = encoder.encode(rest).length;
  let lengthBytes = restBytes + String(restBytes).length;
  // The digits may have made the number longer by one more.
  lengthBytes = restBytes + String(lengthBytes).length;
  return `${lengthBytes}${rest}`;
}

/** Divides a path at a slash into ustar's two fields; undefined where they cannot hold it. */
function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (!asciiPattern.test(path)) return undefined;
  if (path.length <= nameLimitBytes) return { prefix: "", name: path };
  // The longest name that fits, so the shortest prefix.
  const slash = path.indexOf("/", path.length - nameLimitBytes - 1);
  if (slash === -1 || slash > prefixLimitBytes) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/**
 * What stands in the name field where the path is in a pax record. It holds no slash: a reader
 * could take a name that is cut off after one for a folder.
 */
function fallbackName(path: string): string {
  let name = "";
  let bytes = 0;
  for (const character of path.slice(path.lastIndexOf("/") + 1)) {
    bytes += encoder.encode(character).length;
    if (bytes > nameLimitBytes) break;
    name += character;
  }
  return name;
}

interface UstarFields {
  readonly name: string;
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly type: "0" | "x";
}

function ustarBlock({ name, prefix, sizeBytes, mode, type }: UstarFields): Uint8Array {
  const block = new Uint8Array(blockBytes);
  const write = (text: string, offset: number): void => {
    encoder.encodeInto(text, block.subarray(offset));
  };
  write(name, 0);
  write(octal(mode, 7), 100);
  write(octal(0, 7), 108); // uid
  write(octal(0, 7), 116); // gid
  write(octal(sizeBytes, 11), 124);
  write(octal(modifiedSeconds, 11), 136);
  write(type, 156);
  write("ustar\x0000", 257); // magic and version; then no names of user and group
  write(octal(0, 7), 329); // devmajor
  write(octal(0, 7), 337); // devminor
  write(prefix, 345);
  // The checksum is taken with its own field as spaces.
  let sum = 8 * 0x20;
  for (let index = 0; index < blockBytes; index += 1) sum += block[index] ?? 0;
  write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

/** Octal digits with leading zeros; the NUL after them is there already. */
function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
