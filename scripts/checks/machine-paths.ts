import { homedir } from "node:os";
import { dirname } from "node:path";

import type { Check } from "./check.ts";
import { readSources, readWorkspace } from "./workspace.ts";
import type { SourceFile } from "./workspace.ts";

/** Home folders of people; `/home/store` and the like, as service accounts, are no one's. */
const homeFolder = /(?:\/home\/(?!store\b|<)|\/Users\/|[A-Z]:\\Users\\)[\w.-]+/;

/** A host that serves packages; documentation names `registry.example.com` (RFC 2606). */
const registryHost = /\b(?:registry|npm|verdaccio|artifactory|nexus)\.[a-z0-9.-]*[a-z]{2,}\b/g;
const reservedHost = /\.(?:example|test|invalid|localhost)$|\bexample\.(?:com|net|org)$/;

/** Folders of this machine that no file may name. */
export interface Machine {
  readonly folders: readonly string[];
}

/** Finds paths and package-registry hosts that only the author's machine knows. */
export function findMachinePaths(
  sources: readonly SourceFile[],
  machine: Machine,
): readonly string[] {
  return sources.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => {
      const found = findInLine(line, machine);
      return found === undefined ? [] : [`${path}:${index + 1}: names ${found}`];
    }),
  );
}

function findInLine(line: string, { folders }: Machine): string | undefined {
  const named = folders.find((one) => {
    const start = line.indexOf(`${one}/`);
    return start >= 0 && !/[\w.>-]/.test(line[start - 1] ?? "");
  });
  const folder = named ?? homeFolder.exec(line)?.[0];
  if (folder !== undefined) return `the folder ${folder}`;
  // A property access (`registry.health`) has no scheme before it and no top-level domain.
  const hosts = line.match(/https?:\/\/[^\s"'`)>]+/g) ?? [];
  const host = hosts
    .map((url) => url.match(registryHost)?.[0])
    .find((name) => name !== undefined && !reservedHost.test(name));
  return host === undefined ? undefined : `the package registry ${host}`;
}

function isText(path: string): boolean {
  return !/\.(?:png|ico|cbor|bin|tgz|wasm)$/.test(path);
}

/** Parents that a document may name, whoever's checkout stands there. */
const systemFolders = new Set(["/", "/tmp", "/srv", "/opt", "/usr/src", "/var/lib", "/home"]);

/** Whoever clones the repository has other folders and perhaps another registry. */
export const machinePaths: Check = {
  name: "machine paths",
  async run(root) {
    const { paths } = await readWorkspace(root);
    const folders = [root, dirname(root), homedir()].filter((one) => !systemFolders.has(one));
    return findMachinePaths(readSources(root, paths, isText), { folders });
  },
};
