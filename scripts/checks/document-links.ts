import { existsSync } from "node:fs";
import { join, posix } from "node:path";

import type { Check } from "./check.ts";
import { readSources, readWorkspace } from "./workspace.ts";
import type { SourceFile } from "./workspace.ts";

/** Finds links in Markdown that lead to no file. `exists` takes a path below the root. */
export function findBrokenLinks(
  documents: readonly SourceFile[],
  exists: (path: string) => boolean,
): readonly string[] {
  return documents.flatMap(({ path, text }) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => (match[1] ?? "").split("#")[0] ?? "")
      .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
      .filter((target) => !exists(posix.join(posix.dirname(path), target)))
      .map((target) => `${path}: links to ${target}, which does not exist`),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```/gms, "").replaceAll(/`[^`\n]*`/g, "");
}

/** A reader who follows a link of ours arrives. */
export const documentLinks: Check = {
  name: "document links",
  async run(root) {
    const { paths } = await readWorkspace(root);
    const documents = readSources(root, paths, (path) => path.endsWith(".md"));
    return findBrokenLinks(documents, (path) => existsSync(join(root, path)));
  },
};
