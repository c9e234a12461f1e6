import { constants } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "@store/identity";
import { errnoOf, storageFailure } from "./failure.ts";
import { formatFile, layoutName, layoutVersion, stagingFolder } from "./layout.ts";
import type { Place } from "./place.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** Above the size of any format file of ours. */
const FORMAT_LIMIT_BYTES = 4096;
const EXCLUSIVE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
/** A format file that another process is about to put in its place, or failed to. */
const unfinishedFormat = /^format\.json\.[0-9a-f-]{36}$/;

/**
 * Makes the root ready: a new one gets its format file, an old one is checked against it. Several
 * processes may do so at once. Throws `layout_unknown` for a folder that is not ours or that newer
 * code has laid out.
 */
export async function prepareRoot(place: Place): Promise<void> {
  try {
    await makeRoot(place);
    const isNew = !(await checkFormat(place)) && (await isEmpty(place));
    if (isNew) await writeFormat(place);
    await makeStaging(place);
  } catch (error) {
    throw storageFailure(error, `open the storage root ${place.root}`);
  }
}

/** Throws `layout_unknown` unless the root's format file is there and names this layout. */
export async function assertFormat(place: Place): Promise<void> {
  if (await checkFormat(place)) return;
  throw unknownLayout(place, "it has no format.json; is its disk mounted?");
}

/**
 * Throws where the root itself is gone, so that what is not found there is not taken for lost: a disk
 * that is not mounted any more holds nothing.
 */
export async function assertRootIsThere({ fileSystem, path }: Place): Promise<void> {
  try {
    await fileSystem.lstat(path(formatFile));
  } catch (cause) {
    throw new StoreError(
      "storage_unavailable",
      "The storage root has no format.json any more: its disk is not mounted, or it was removed. " +
        "Mount it, or restore it from a backup.",
      { cause },
    );
  }
}

/**
 * Makes the root and the folders above it. The parent of each is synced, that of the root in any
 * case: another process may have made it just now.
 */
async function makeRoot(place: Place): Promise<void> {
  const { root, fileSystem } = place;
  const folders = [root];
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) {
    const obstacle = await made(fileSystem.mkdir(folder, FOLDER_MODE));
    if (obstacle !== "ENOENT") break;
    folders.push(dirname(folder));
  }
  for (const folder of folders.toReversed()) {
    const obstacle = await made(fileSystem.mkdir(folder, FOLDER_MODE));
    await syncFolder(place, dirname(folder)).catch((error: unknown) => {
      // Above a root that was there before, there may be a folder that is not ours to read.
      if (obstacle !== "EEXIST" || errnoOf(error) !== "EACCES") throw error;
    });
  }
}

async function syncFolder({ fileSystem, briefFiles }: Place, folder: string): Promise<void> {
  const descriptor = await briefFiles.open(folder, constants.O_RDONLY);
  try {
    await fileSystem.fsync(descriptor);
  } finally {
    await briefFiles.close(descriptor);
  }
}

/** Why a folder was not made, if it was there before or could not be for want of its parent. */
async function made(mkdir: Promise<void>): Promise<"EEXIST" | "ENOENT" | undefined> {
  try {
    await mkdir;
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EISDIR") return "EEXIST";
    if (code === "EEXIST" || code === "ENOENT") return code;
    throw error;
  }
}

/** Whether there is a format file; throws unless it names this layout. */
async function checkFormat(place: Place): Promise<boolean> {
  const text = await readFormat(place);
  if (text === undefined) return false;
  const format = parseFormat(place, text);
  if (format.format !== layoutName) throw unknownLayout(place, "its format.json is not of Store");
  if (format.version !== layoutVersion) {
    throw new StoreError(
      "layout_unknown",
      `The storage root ${place.root} has version ${JSON.stringify(format.version)} of the ` +
        `layout; this code knows version ${layoutVersion}. Use the version of Store that wrote it.`,
      { context: { path: place.root, expected: layoutVersion } },
    );
  }
  return true;
}

function parseFormat(place: Place, text: string): { format?: unknown; version?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch (error) {
    throw unknownLayout(place, "its format.json is not JSON", error);
  }
  throw unknownLayout(place, "its format.json is no object");
}

async function readFormat(place: Place): Promise<string | undefined> {
  const { fileSystem, briefFiles } = place;
  let descriptor: number;
  try {
    descriptor = await briefFiles.open(place.path(formatFile), constants.O_RDONLY);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(FORMAT_LIMIT_BYTES);
    let filled = 0;
    for (let count = -1; count !== 0; filled += count) {
      count = await fileSystem.read(descriptor, bytes.subarray(filled), filled);
    }
    return bytes.toString("utf8", 0, filled);
  } finally {
    await briefFiles.close(descriptor);
  }
}

/** Whether nothing is in the root. Throws `layout_unknown` if something of somebody else's is. */
async function isEmpty(place: Place): Promise<boolean> {
  const names = await place.fileSystem.readdir(place.root);
  // The top folder of a new ext4 disk has lost+found in it.
  const foreign = names.filter((name) => name !== "lost+found" && !unfinishedFormat.test(name));
  if (foreign.length === 0) return true;
  // Another process may have made the root ready meanwhile: the format file comes first.
  if (await checkFormat(place)) return false;
  throw unknownLayout(place, `it has no format.json but holds ${foreign.length} other things`);
}

async function writeFormat(place: Place): Promise<void> {
  const { fileSystem, briefFiles } = place;
  const text = JSON.stringify({
    format: layoutName,
    version: layoutVersion,
    keys: "<algorithm>/<hex 0-2>/<hex 2-4>/<hex>",
  });
  const bytes = Buffer.from(`${text}\n`);
  const unfinished = place.path(`${formatFile}.${crypto.randomUUID()}`);
  const descriptor = await briefFiles.open(unfinished, EXCLUSIVE, FILE_MODE);
  try {
    for (let written = 0; written < bytes.length;) {
      written += await fileSystem.write(descriptor, bytes.subarray(written), written);
    }
    await fileSystem.fsync(descriptor);
    await fileSystem.rename(unfinished, place.path(formatFile));
  } catch (error) {
    await fileSystem.unlink(unfinished).catch(() => {});
    throw error;
  } finally {
    await briefFiles.close(descriptor);
  }
}

/** Makes the staging folder, and it and the format file durable, whoever made them. */
async function makeStaging(place: Place): Promise<void> {
  const { makeDurable } = await place.folders.ensure(stagingFolder);
  await makeDurable();
}

function unknownLayout(place: Place, why: string, cause?: unknown): StoreError {
  return new StoreError(
    "layout_unknown",
    `The folder ${place.root} is no storage root of Store: ${why}. Choose an empty folder, or ` +
      "the root of an instance.",
    { cause, context: { path: place.root } },
  );
}
