import { describe, expect, test } from "vitest";

import { findDirectionProblems } from "../checks/dependency-direction.ts";
import { packageAt } from "./fixture.ts";

const workspaceVersion = "workspace:*";
const identity = packageAt("packages/identity");
const storage = packageAt("packages/storage", {
  dependencies: { "@store/identity": workspaceVersion },
});
const local = packageAt("packages/storage-local", {
  dependencies: { "@store/storage": workspaceVersion },
});
const server = packageAt("apps/server", {
  dependencies: { "@store/storage-local": workspaceVersion, hono: "4.0.0" },
});
const house = [server, identity, storage, local];

/** What is found in one file of a house that is otherwise in order. */
function findIn(path: string, text: string): readonly string[] {
  return findDirectionProblems(house, [{ path, text }]);
}

test("a house whose arrows point the right way has no problem", () => {
  const sources = [
    { path: "packages/storage/src/lib/a.ts", text: 'import { x } from "@store/identity";' },
    { path: "apps/server/src/index.ts", text: 'import { x } from "@store/storage-local";' },
    { path: "packages/storage/test/a.test.ts", text: 'import { x } from "@store/storage-local";' },
  ];
  expect(findDirectionProblems(house, sources)).toEqual([]);
});

describe("package.json", () => {
  test("a dependency against the arrows is named", () => {
    const bad = packageAt("packages/identity", {
      dependencies: { "@store/storage": workspaceVersion },
    });
    expect(findDirectionProblems([bad, storage], [])).toContain(
      "packages/identity/package.json: @store/identity may not depend on @store/storage; the arrows point the other way",
    );
  });

  test("a library that depends on a backend is refused", () => {
    const bad = packageAt("packages/registry", {
      dependencies: { "@store/storage-local": workspaceVersion },
    });
    expect(findDirectionProblems([bad, local, storage, identity], [])).toEqual([
      expect.stringContaining("only the apps name a backend"),
    ]);
  });

  test("an HTTP or command-line library belongs in apps", () => {
    const bad = packageAt("packages/identity", { dependencies: { "@oclif/core": "1.0.0" } });
    expect(findDirectionProblems([bad], [])).toEqual([expect.stringContaining("@oclif/core")]);
  });

  test("a new package must be given its arrows", () => {
    expect(findDirectionProblems([packageAt("packages/packs")], [])).toEqual([
      expect.stringContaining("has no line in scripts/checks"),
    ]);
  });

  test("a circle is named, also through devDependencies", () => {
    const first = packageAt("packages/identity", {
      devDependencies: { "@store/storage": workspaceVersion },
    });
    expect(findDirectionProblems([first, storage], [])).toEqual([
      expect.stringContaining("@store/identity → @store/storage → @store/identity"),
    ]);
  });
});

describe("imports", () => {
  test.each([
    ["a type", 'import type { X } from "@store/storage";'],
    ["a re-export", 'export { x } from "@store/storage";'],
    ["a dynamic import", 'await import("@store/storage");'],
    ["an entry below the package", 'import { x } from "@store/storage/conformance";'],
  ])("against the arrows are found: %s", (_, text) => {
    expect(findIn("packages/identity/src/lib/a.ts", text)).toEqual([
      expect.stringContaining("may not depend on @store/storage"),
    ]);
  });

  test("of a backend in a library are found", () => {
    expect(findIn("packages/storage/src/a.ts", 'import "@store/storage-local";')).toEqual([
      expect.stringContaining("only the apps name a backend"),
    ]);
  });

  test("of an HTTP library in a library are found", () => {
    expect(findIn("packages/storage/src/a.ts", 'import { Hono } from "hono/tiny";')).toEqual([
      expect.stringContaining("hono belongs in apps/"),
    ]);
  });

  test.each(["packages/storage/test/a.test.ts", "scripts/a.ts", "apps/server/src/lib/a.ts"])(
    "by a path into another package are found in %s",
    (path) => {
      const up = "../".repeat(path.split("/").length - 1);
      expect(findIn(path, `import { x } from "${up}packages/identity/src/lib/a.ts";`)).toEqual([
        expect.stringContaining("of another package by its path"),
      ]);
    },
  );

  test("that stand in a comment or a string are not imports", () => {
    const text = `// import "@store/storage";\nexport const x = 'import "@store/storage"';`;
    expect(findIn("packages/identity/src/lib/a.ts", text)).toEqual([]);
  });
});

describe("barrels", () => {
  test("an index file inside src/lib is one", () => {
    expect(findIn("packages/identity/src/lib/index.ts", "export const x = 1;")).toEqual([
      expect.stringContaining("a barrel inside src/lib"),
    ]);
  });

  test("passing everything on inside src/lib is one, whatever the file's name", () => {
    expect(findIn("packages/identity/src/lib/all.ts", 'export * from "./a.ts";')).toEqual([
      expect.stringContaining("a barrel inside src/lib"),
    ]);
  });

  test("src/index.ts is the list of exports", () => {
    expect(findIn("packages/identity/src/index.ts", 'export * from "./lib/a.ts";')).toEqual([]);
  });
});
