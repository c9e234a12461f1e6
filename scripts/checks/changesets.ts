import { readChangesets } from "@changesets/read";

import type { Check } from "./check.ts";
import { runTool } from "./tool.ts";
import { isPublished, readWorkspace } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

/** A file of .changeset/, parsed. */
export interface PendingChangeset {
  readonly id: string;
  readonly summary: string;
  readonly releases: readonly { readonly name: string; readonly type: string }[];
}

/**
 * Finds changesets that say nothing or name no published package, and packages whose shipped files
 * are among `changedPaths` while no pending changeset names them.
 *
 * `changeset status` wants a new changeset for every branch; here one that is still pending from an
 * earlier branch counts, since both changes go out in the same release.
 */
export function findChangesetProblems(
  pending: readonly PendingChangeset[],
  packages: readonly WorkspacePackage[],
  changedPaths: readonly string[],
): readonly string[] {
  const published = packages.filter(isPublished);
  const names = published.map(({ json }) => json.name);
  const bad = pending.flatMap(({ id, summary, releases }) => {
    const strangers = releases.filter(({ name }) => !names.includes(name));
    const problems = strangers.map(({ name }) => `.changeset/${id}.md: ${name} is not published`);
    if (summary.trim() === "") problems.push(`.changeset/${id}.md: says nothing to the user`);
    return problems;
  });
  const announced = new Set(pending.flatMap(({ releases }) => releases.map(({ name }) => name)));
  const silent = published
    .filter(({ folder, json }) => {
      const ships = new RegExp(`^${folder}/(?:src|bin|migrations)/`, "u");
      return !announced.has(json.name) && changedPaths.some((path) => ships.test(path));
    })
    .map(({ json }) => `${json.name} changed and no changeset says so: pnpm run changeset`);
  return [...bad, ...silent];
}

/** The paths that differ from the main branch, committed or not. */
async function listChangedPaths(root: string): Promise<readonly string[]> {
  for (const branch of ["main", "origin/main", "HEAD"]) {
    const base = await runTool(root, "git", ["merge-base", branch, "HEAD"]);
    if (!base.passed) continue;
    const changed = await runTool(root, "git", ["diff", "--name-only", base.output]);
    return changed.output.split("\n");
  }
  throw new Error("there is no commit to compare with");
}

/** What users will notice is announced to them. */
export const changesets: Check = {
  name: "changesets",
  async run(root) {
    const { packages } = await readWorkspace(root);
    return findChangesetProblems(
      await readChangesets(root),
      packages,
      await listChangedPaths(root),
    );
  },
};
