import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder with those that it lies in, and returns the outermost one that was made, if any.
 * The `recursive` of Node.js never ends where a folder exists but none can be made in it, as in
 * /proc: it takes the answer for a missing parent, again and again.
 *
 * @throws the error of the operating system.
 */
export async function makeFolders(folder: string, mode = 0o777): Promise<string | undefined> {
  try {
    return (await makeFolder(folder, mode)) ? folder : undefined;
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || dirname(folder) === folder) throw error;
  }
  const outermost = await makeFolders(dirname(folder), mode);
  await makeFolder(folder, mode);
  return outermost ?? folder;
}

/** Whether it was made; a folder that is there already is as good. */
async function makeFolder(folder: string, mode: number): Promise<boolean> {
  try {
    await mkdir(folder, { mode });
    return true;
  } catch (error) {
    const stats = await stat(folder).catch(() => undefined);
    if (stats?.isDirectory()) return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
