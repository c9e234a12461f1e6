import { expect, test } from "vitest";

import { findMachinePaths } from "../checks/machine-paths.ts";

const machine = { folders: ["/build/7/checkout", "/var/people/ada"] };

function findIn(text: string): readonly string[] {
  return findMachinePaths([{ path: "a.ts", text }], machine);
}

// Put together here, so that this file names none of them.
const home = ["", "home", "ada", "x"].join("/");
const mac = ["", "Users", "ada", "x"].join("/");
const npm = ["https://registry", "npmjs", "org/left-pad"].join(".");
const mirror = ["http://npm", "corp", "internal:4873/"].join(".");

test.each([home, mac, npm, mirror, "/build/7/checkout/a.ts", "cd /var/people/ada/s"])(
  "%s is found, with the line that it stands in",
  (text) => {
    expect(findIn(`const a = 1;\nconst b = "${text}";`)).toEqual([
      expect.stringMatching(/^a\.ts:2: names the (?:folder|package registry) /),
    ]);
  },
);

test.each([
  "https://registry.example.com/acme",
  "/home/store/data",
  "registry.openRegistry.name",
  "/var/lib/store/objects",
  "https://nodejs.org",
  "my/build/7/checkout/a.ts",
])("%s belongs to no machine", (text) => {
  expect(findIn(text)).toEqual([]);
});
