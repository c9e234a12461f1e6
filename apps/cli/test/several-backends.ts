import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Sandbox } from "./store.ts";

/** Lets the commands of a sandbox work with the folders `primary`, `mirror` and `spare`. */
export async function nameBackends(sandbox: Sandbox): Promise<void> {
  const names = ["primary", "mirror", "spare"];
  const backends = names.map((name) => [name, { kind: "local", path: name }] as const);
  const document = { backends: Object.fromEntries(backends), placement: { primary: "primary" } };
  await sandbox.write({ "storage.json": JSON.stringify(document) });
  sandbox.env.STORE_STORAGE_FILE = sandbox.path("storage.json");
}

/** The files of the objects of a backend, by the digests that they are named by. */
export async function objectFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(join(folder, "blake3"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return new Map(files.map(({ name, parentPath }) => [name, join(parentPath, name)]));
}
