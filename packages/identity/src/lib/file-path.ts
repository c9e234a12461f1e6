import { StoreError } from "./error.ts";
import { quote, shorten } from "./quote.ts";

const pathLimitBytes = 1024;
const segmentLimitBytes = 255;

const plainPattern = /^[A-Za-z0-9_/.@+-]+$/u;
const controlPattern = /\p{Cc}/u;
const drivePattern = /^[A-Za-z]:/u;
/** Windows takes these for devices in every folder, whatever the extension. */
const devicePattern = /^(?:con|prn|aux|nul|conin\$|conout\$|com[1-9¹²³]|lpt[1-9¹²³]) *(?:\.|$)/iu;

/**
 * Holds a path against the rules of a package's files: relative, `/`-separated, NFC, at most 1,024
 * bytes of UTF-8, segments of at most 255 bytes, none empty, `.` or `..`, no backslash, no control
 * character; and nothing that Windows would resolve to another place: a drive, a device, a segment
 * that ends with a dot or a space.
 *
 * A path is never decoded: `%2e%2e` is a file name like any other, and stays one.
 *
 * @throws {StoreError} `invalid_path`, naming the broken rule.
 */
export function assertFilePath(path: string): void {
  if (typeof path !== "string") {
    throw new StoreError("invalid_path", `A file path is a text, not ${quote(path)}.`);
  }
  if (path === "") throw broken(path, "is empty; name a file");
  // A character is at least one byte, so whatever is longer need not be read.
  if (path.length > pathLimitBytes) throw tooLong(path);
  const isPlain = plainPattern.test(path);
  if (!isPlain) assertCharacters(path);
  if (path.startsWith("/")) throw broken(path, "is absolute; remove the leading '/'");
  for (const segment of path.split("/")) assertSegment(path, segment, isPlain);
}

function assertCharacters(path: string): void {
  if (!path.isWellFormed()) {
    throw broken(path, "holds half a surrogate pair, which has no UTF-8; rename the file");
  }
  if (path.includes("\\")) throw broken(path, "holds a backslash; separate segments with '/'");
  if (controlPattern.test(path)) throw broken(path, "holds a control character; rename the file");
  if (drivePattern.test(path)) throw broken(path, "begins with a drive; make it relative");
  if (path.normalize("NFC") !== path) {
    throw broken(path, "is not in Unicode normalization form C; normalize it first");
  }
  if (utf8Length(path) > pathLimitBytes) throw tooLong(path);
}

function assertSegment(path: string, segment: string, isPlain: boolean): void {
  if (segment === "") throw broken(path, "has an empty segment; separate segments with one '/'");
  if (segment === "." || segment === "..") {
    throw broken(path, `has a segment '${segment}'; write the path without it`);
  }
  if ((isPlain ? segment.length : utf8Length(segment)) > segmentLimitBytes) {
    throw broken(
      path,
      `has a segment of more than ${segmentLimitBytes} bytes; shorten it`,
      segmentLimitBytes,
    );
  }
  if (segment.endsWith(".") || segment.endsWith(" ")) {
    throw broken(path, "has a segment that ends with a dot or a space, which Windows drops");
  }
  if (devicePattern.test(segment)) {
    throw broken(path, `has a segment ${quote(segment)}, which is a device on Windows; rename it`);
  }
}

/** The folders that a path lies in, the outermost first: `a/b/c` gives `a` and `a/b`. */
export function pathAncestors(path: string): string[] {
  const ancestors: string[] = [];
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    ancestors.push(path.slice(0, slash));
  }
  return ancestors;
}

/** Two paths that one package cannot have: `ancestor` is a folder of `path`, or the same path. */
export interface PathConflict {
  readonly path: string;
  readonly ancestor: string;
}

/**
 * Finds a path that is given twice, or is a folder of another. Linear in the number of paths.
 * The paths themselves are taken to follow {@link assertFilePath}.
 */
export function findPathConflict(paths: Iterable<string>): PathConflict | undefined {
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const path of paths) {
    if (files.has(path)) return { path, ancestor: path };
    files.add(path);
    let slash = path.lastIndexOf("/");
    while (slash > 0) {
      const folder = path.slice(0, slash);
      // The folders of a known folder are known.
      if (folders.has(folder)) break;
      folders.add(folder);
      slash = path.lastIndexOf("/", slash - 1);
    }
  }
  for (const ancestor of files) {
    if (!folders.has(ancestor)) continue;
    const path = files.values().find((other) => other.startsWith(`${ancestor}/`));
    if (path !== undefined) return { path, ancestor };
  }
  return undefined;
}

/** How many bytes a well-formed text has in UTF-8. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair counts for two of its four bytes.
    length += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return length;
}

function tooLong(path: string): StoreError {
  return broken(path, `has more than ${pathLimitBytes} bytes; shorten it`, pathLimitBytes);
}

function broken(path: string, rule: string, limit?: number): StoreError {
  const context = { path: shorten(path), ...(limit === undefined ? {} : { limit }) };
  return new StoreError("invalid_path", `The path ${quote(path)} ${rule}.`, { context });
}
