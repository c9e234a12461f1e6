import type { Registry } from "@store/registry";
import { StoreError } from "@store/identity";
import fc from "fast-check";

import { bytesOf } from "./instance.ts";

/** Random commands over few names, so that they meet: most succeed, some are refused. */

export interface World {
  readonly registry: Registry;
  /** Ids of packages and holds in the order in which they came to be. */
  readonly packages: string[];
  readonly holds: string[];
  advance(ms: number): void;
}

/** One command; it picks its target from what there is by a number. */
export type Operation = (world: World) => Promise<unknown>;

const pick = (ids: readonly string[], index: number): string => ids[index % ids.length] ?? "none";

const name = fc.constantFrom("app", "lib");
const version = fc.constantFrom("1.0.0", "1.1.0", "2.0.0-rc.1", "2.0.0", "nightly", "weekly");
const variant = fc.constantFrom(undefined, "linux-amd64", "linux-arm64");
const path = fc.constantFrom("a", "b", "a/b", "dir/file", "dir/other", "é");
const tag = fc.constantFrom("stable", "latest", "edge");
const retentionClass = fc.constantFrom("ephemeral", "standard", "release", "permanent", "unknown");
const index = fc.nat(1_000);
const content = fc.string({ maxLength: 40 });

const create = fc
  .record({ name, version, variant, retentionClass })
  .map(({ variant: chosen, ...rest }): Operation => async ({ registry, packages }) => {
    const pkg = await registry.createPackage({
      namespace: "acme",
      ...rest,
      ...(chosen === undefined ? {} : { variant: chosen }),
      metadata: { chosen: chosen ?? null },
    });
    packages.push(pkg.id);
  });

const addFile = fc
  .record({ index, path, content, replace: fc.boolean(), executable: fc.boolean() })
  .map(
    (at): Operation =>
      ({ registry, packages }) =>
        registry.ingestFile(pick(packages, at.index), at.path, bytesOf(at.content), at),
  );

const onPackage = fc.record({
  index,
  path,
  tag,
  name,
  retentionClass,
  content,
  act: fc.constantFrom(
    "finalize",
    "finalize",
    "finalize",
    "remove",
    "abandon",
    "yank",
    "unyank",
    "tag",
    "tag",
    "untag",
    "retain",
    "hold",
    "release",
    "schema",
    "sweep",
  ),
});

const others = onPackage.map((at): Operation => async ({ registry, packages, holds, advance }) => {
  const id = pick(packages, at.index);
  switch (at.act) {
    case "finalize":
      return registry.finalizePackage(id);
    case "remove":
      return registry.removeFile(id, at.path);
    case "abandon":
      return registry.abandonPackage(id);
    case "yank":
      return registry.yankPackage(id, at.content === "" ? {} : { reason: "because" });
    case "unyank":
      return registry.unyankPackage(id);
    case "tag":
      return registry.setTag({ packageId: id, tag: at.tag });
    case "untag":
      return registry.removeTag({ namespace: "acme", name: at.name, tag: at.tag });
    case "retain":
      return registry.setRetention(id, at.retentionClass);
    case "hold":
      return holds.push((await registry.placeHold(id, "a reason")).id);
    case "release":
      return registry.releaseHold(pick(holds, at.index));
    case "schema":
      return registry.registerMetadataSchema({ name: at.name, schema: { title: at.content } });
    default:
      advance(60 * 60 * 1000);
      return registry.sweep();
  }
});

/** Commands in the proportions of a busy registry. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: create },
  { weight: 6, arbitrary: addFile },
  { weight: 6, arbitrary: others },
);

/** Runs commands one after another; gives each one's outcome: `ok`, or the code of its refusal. */
export async function runAll(world: World, operations: readonly Operation[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const each of operations) {
    try {
      await each(world);
      outcomes.push("ok");
    } catch (error) {
      if (!(error instanceof StoreError) || error.code === "internal") throw error;
      outcomes.push(error.code);
    }
    world.advance(1);
  }
  return outcomes;
}
