import { readFile, stat } from "node:fs/promises";
import { parseEnv } from "node:util";

import type { Settings } from "@store/server/runtime";

import { systemError } from "../system-error.ts";
import { UsageError } from "../usage-error.ts";

/** More is no file of settings. */
const longestFileBytes = 1024 * 1024;

/** Without one of these a file says nothing about where an instance is. */
const placeNames = [
  "STORE_DATA",
  "STORE_DATABASE_URL",
  "STORE_STORAGE_URL",
  "STORE_STORAGE_FILE",
] as const;

/**
 * The settings of an instance that is named by its folder, or by a file of settings as `.env` has
 * them. The environment of this process counts for neither, since it can be that of one only.
 *
 * @throws {UsageError} for a URL, and where the file says nothing about an instance.
 * @throws {StoreError} `invalid_argument` for settings that are wrong.
 */
export async function settingsAt(location: string): Promise<Settings> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) throw isUrl(location);
  const { readSettings } = await import("@store/server/runtime");
  if (!(await isFile(location))) return readSettings({ data: location }, {});
  return readSettings({}, await readEnvironment(location));
}

async function isFile(location: string): Promise<boolean> {
  try {
    const stats = await stat(location);
    if (stats.isFile() && stats.size > longestFileBytes) throw noSettings(location);
    return !stats.isDirectory();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing) throw systemError(error, "look at", location);
    // A folder is made where there is none; a file that is not there is a slip.
    if (!location.endsWith(".env")) return false;
    throw new UsageError(`There is no file ${location}.`, "Check its path.");
  }
}

async function readEnvironment(path: string): Promise<NodeJS.ProcessEnv> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw systemError(error, "read", path);
  });
  const environment = parseEnv(text);
  if (placeNames.some((name) => environment[name])) return environment;
  throw noSettings(path);
}

/** Without the rest of it: there may be a password in it. */
function isUrl(location: string): UsageError {
  return new UsageError(
    `A URL (${location.slice(0, location.indexOf(":"))}://…) is neither a folder nor a file of settings.`,
    "Write STORE_DATABASE_URL and STORE_STORAGE_URL into a file, and name that file.",
  );
}

function noSettings(path: string): UsageError {
  return new UsageError(
    `${path} is no file of settings: it sets none of ${placeNames.join(", ")}.`,
    "Name the folder of an instance, or a file like .env.example.",
  );
}
