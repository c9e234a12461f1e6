import { spawnSync } from "node:child_process";

import { describe, expect, test } from "vitest";

import { Sandbox, source } from "./store.ts";

/** How this user can mount a small disk in a mount namespace of its own, or undefined. */
const unshare = [["--mount"], ["--map-root-user", "--mount"]].find(
  (args) => spawnSync("unshare", [...args, "mount", "-t", "tmpfs", "x", "/mnt"]).status === 0,
);

/** Prints the exit code of each command of `store` on a disk of 24 MiB, one a line. */
const script = `
set -u
mount -t tmpfs -o size=24m tmpfs disk
store() { "$NODE" "$STORE" "$@" --data disk/data > out.txt 2>> err.txt; echo "$1 $?"; }
store push small acme/app@1.0.0
store push big acme/app@2.0.0
tail -n 2 err.txt | head -n 1 >&2
ls disk/data/objects/staging | wc -l
store show acme/app@2.0.0
store verify --all
store replay --check
store push other acme/app@2.0.0
store log
grep -c v1.package.abandoned out.txt
`;

describe("a disk that is full", () => {
  const mountable = unshare === undefined ? "no user here may mount a disk" : undefined;

  test.skipIf(mountable !== undefined)(
    "refuses a push with exit code 7, keeps nothing of it, and goes on when there is room",
    async () => {
      await using sandbox = await Sandbox.create();
      await sandbox.write({
        "disk/.keep": "",
        "small/file": "small",
        "other/file": "other",
        "big/a": new Uint8Array(5_000_000).fill(1),
        "big/b": new Uint8Array(30_000_000).fill(2),
      });
      const { stdout, stderr } = spawnSync("unshare", [...(unshare ?? []), "sh", "-c", script], {
        cwd: sandbox.folder,
        env: { PATH: process.env.PATH, NODE: process.execPath, STORE: source },
        encoding: "utf8",
      });
      expect(stdout.split("\n").map((line) => line.trim())).toEqual([
        "push 0",
        "push 7",
        "0",
        "show 3",
        "verify 0",
        "replay 0",
        "push 0",
        "log 0",
        "1",
        "",
      ]);
      expect(stderr).toMatch(/^error: .*(space|full)/m);
    },
  );
});
