import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };

test("what is published chooses its files as the workspace does", () => {
  // In the workspace the targets are sources; on publish they are what those compile to.
  const published = (target: string): string =>
    target.replace(/^\.\/src\/(.*)\.ts$/, "./dist/$1.js");
  const engines = manifest.imports["#engines"];
  expect(Object.keys(engines)).toEqual(["node", "default"]);
  expect(manifest.publishConfig.imports["#engines"]).toEqual({
    node: published(engines.node),
    default: published(engines.default),
  });
  expect(manifest.publishConfig.exports["."].default).toBe(published(manifest.exports["."]));
  const targets = [engines.node, engines.default, manifest.exports["."]];
  expect(targets.filter((target) => !existsSync(new URL(`../${target}`, import.meta.url)))).toEqual(
    [],
  );
});
