import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** One line a file: path, executable or not, SHA-256; what a round trip must keep. */
export async function describeTree(root: string): Promise<string[]> {
  const files = await listFiles(root);
  const lines: string[] = [];
  for (const path of files.toSorted()) {
    const { mode } = await stat(join(root, path));
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(join(root, path)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
    }
    lines.push(`${path} ${(mode & 0o111) === 0 ? "-" : "x"} ${hash.digest("hex")}`);
  }
  return lines;
}

async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/**
 * Copies up to `limit` regular files of the project's own dependencies, dereferenced: each package
 * from where the package manager keeps it. Returns how many there are.
 */
export async function copyDependencies(target: string, limit: number): Promise<number> {
  const kept = join(import.meta.dirname, "../../../node_modules/.pnpm");
  let count = 0;
  for (const folder of (await readdir(kept)).toSorted()) {
    const modules = join(kept, folder, "node_modules");
    for (const path of await listFiles(modules).catch(() => [])) {
      if (count === limit) return count;
      await place(join(modules, path), join(target, folder, path));
      count += 1;
    }
  }
  return count;
}

const made = new Set<string>();

async function place(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  if (!made.has(folder)) {
    await mkdir(folder, { recursive: true });
    made.add(folder);
  }
  await copyFile(from, to);
}
