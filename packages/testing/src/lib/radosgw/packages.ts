import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** What must be on the path, and the Debian package that brings it. */
const programs = {
  radosgw: "radosgw",
  "radosgw-admin": "radosgw",
  ceph: "ceph-common",
  monmaptool: "ceph-common",
  "ceph-mon": "ceph-mon",
  "ceph-osd": "ceph-osd",
} as const;

/** The folders of Debian's programs, also where a user's path lacks those of the system. */
export const programPath: string = [process.env["PATH"] ?? "", "/usr/sbin", "/usr/bin"].join(
  delimiter,
);

/** The Debian packages that are missing here. */
export async function missingPackages(): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const [program, debian] of Object.entries(programs)) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- six look-ups
    if (!(await isOnPath(program))) missing.add(debian);
  }
  return [...missing];
}

/**
 * Installs what is missing of `radosgw` and of the small cluster below it, with `apt-get`, as
 * root. Throws where a package is missing and cannot be installed.
 */
export async function installRadosgw(): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`As root: apt-get install --no-install-recommends ${missing.join(" ")}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = promisify(execFile);
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  await run("apt-get", ["update"], options);
  await run("apt-get", ["install", "-y", "--no-install-recommends", ...missing], options);
}

async function isOnPath(program: string): Promise<boolean> {
  const found = programPath.split(delimiter).map(async (folder) => {
    await access(join(folder, program), constants.X_OK);
  });
  return Promise.any(found).then(
    () => true,
    () => false,
  );
}
