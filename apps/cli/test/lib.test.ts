import { mkdir, readFile, writeFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";

import { storeErrorCodes, type StoreErrorCode } from "@store/identity";
import { describe, expect, it } from "vitest";

import { copyProgressLine } from "../src/lib/instance-copy/progress.ts";
import { forEachBounded, type Bounds } from "../src/lib/bounded.ts";
import { createExclusion } from "../src/lib/exclusion.ts";
import { exitCodes, outcomeOf } from "../src/lib/exit-codes.ts";
import { formatDuration, formatSize } from "../src/lib/format.ts";
import { nearestOf } from "../src/lib/nearest.ts";
import { printable } from "../src/lib/printable.ts";
import { objectProgressLine, progressLine } from "../src/lib/progress.ts";
import { TargetFolder } from "../src/lib/target-folder.ts";
import { Sandbox } from "./store.ts";

describe("every error code", () => {
  it.each(Object.keys(storeErrorCodes) as StoreErrorCode[])(
    "%s has an exit code and a hint",
    (code) => {
      const { exit, hint } = outcomeOf(code);
      expect(Object.values(exitCodes)).toContain(exit);
      expect(exit).not.toBe(exitCodes.ok);
      expect(hint).toMatch(/^[A-Z`].*\.$/);
    },
  );
});

describe("numbers for people", () => {
  it("are sizes in IEC units, and times in minutes and hours", () => {
    expect([0, 1023, 1024, 1536, 10 * 1024, 123_456_789, 5 * 1024 ** 4].map(formatSize)).toEqual([
      "0 B",
      "1023 B",
      "1.00 KiB",
      "1.50 KiB",
      "10.0 KiB",
      "118 MiB",
      "5.00 TiB",
    ]);
    expect([0, 59.6, 61, 3725].map(formatDuration)).toEqual(["0:00", "1:00", "1:01", "1:02:05"]);
  });

  it("show how far a command is, how fast it is and how long it will take", () => {
    const state = { label: "pushing", files: 1234, sizeBytes: 1024 ** 2, seconds: 2 };
    expect(progressLine({ ...state, totals: { files: 10_001, sizeBytes: 11 * 1024 ** 2 } })).toBe(
      "pushing  1,234/10,001 files  1.00 MiB/11.0 MiB  512 KiB/s  0:20 left",
    );
    expect(progressLine({ ...state, totals: undefined })).toBe(
      "pushing  1,234 files  1.00 MiB  512 KiB/s",
    );
  });

  it("count only what was done since the work on copies was gone on with", () => {
    const first = { objects: 1_000, total: 3_000, sizeBytes: 1024 ** 3, problemCount: 0 };
    const now = { ...first, objects: 1_100, sizeBytes: 1024 ** 3 + 10 * 1024 ** 2 };
    expect(objectProgressLine("verifying", now, first, 10)).toBe(
      "verifying  1,100/3,000 copies  1.01 GiB  1.00 MiB/s  3:10 left",
    );
    expect(objectProgressLine("verifying", { ...first, problemCount: 2 }, first, 0)).toBe(
      "verifying  1,000/3,000 copies  1.00 GiB  0 B/s  2 problems",
    );
  });

  it("count of a copy only what was done since it was gone on with", () => {
    const first = { step: "copying", done: 5_000, total: 9_006, objects: 0, sizeBytes: 0 } as const;
    const now = { ...first, done: 6_000, objects: 411, sizeBytes: 1024 ** 2 };
    expect(copyProgressLine(now, first, 10)).toBe(
      "copying  6,000/9,006 events  411 objects  1.00 MiB  0:30 left",
    );
    const verifying = { step: "verifying", done: 1, objects: 1, sizeBytes: 5 } as const;
    expect(copyProgressLine(verifying, verifying, 1)).toBe("verifying  1 row  1 object  5 B");
  });
});

describe("a text that somebody else wrote", () => {
  it("cannot steer the terminal", () => {
    expect(printable("a\u001b[31mb\u0007\u009bc\rd")).toBe("a\\x1b[31mb\\x07\\x9bc\\x0dd");
    expect(printable("tab\tand ünï☃")).toBe("tab\tand ünï☃");
  });
});

describe("an exclusion", () => {
  it.each([
    { pattern: "*.log", yes: ["a.log", "x/y/.log", "x/b.log"], no: ["a.logs", "log"] },
    { pattern: "dist", yes: ["dist", "x/dist"], no: ["dist2", "x/distant"] },
    { pattern: "/dist", yes: ["dist"], no: ["x/dist"] },
    { pattern: "src/*.js", yes: ["src/a.js"], no: ["src/x/a.js", "x/src/a.js"] },
    { pattern: "**/tmp/**", yes: ["tmp/a", "x/tmp/y/z"], no: ["x/tmpa"] },
    { pattern: ".*", yes: [".git", "x/.env"], no: ["a.b"] },
    { pattern: "*.{png,jpg}", yes: ["a.png", "x/b.jpg"], no: ["a.gif"] },
  ])("of $pattern matches what it says", ({ pattern, yes, no }) => {
    const isExcluded = createExclusion([pattern]);
    expect(yes.filter((path) => !isExcluded(path))).toEqual([]);
    expect(no.filter((path) => isExcluded(path))).toEqual([]);
  });
});

describe("a mistyped word", () => {
  it("means the nearest one, if one is near", () => {
    expect(nearestOf("psuh", ["push", "pull", "ls"])).toBe("push");
    expect(nearestOf("retention st", ["retention set", "retention list"])).toBe("retention set");
    expect(nearestOf("nonsense", ["push", "pull", "ls"])).toBeUndefined();
  });
});

describe("working on many items", () => {
  const bounds = (more: Partial<Bounds<number>> = {}): Bounds<number> => ({
    count: 3,
    weight: 100,
    weightOf: () => 1,
    signal: new AbortController().signal,
    ...more,
  });

  it("keeps within the count and the weight, and lets one heavy item through alone", async () => {
    let [running, weight, mostRunning, mostWeight] = [0, 0, 0, 0];
    const items = [1, 1, 1, 1, 60, 60, 500, 1, 1];
    await forEachBounded(items, bounds({ weightOf: (item) => item }), async (item) => {
      running += 1;
      weight += item;
      mostRunning = Math.max(mostRunning, running);
      if (item === 500) expect(running).toBe(1);
      else mostWeight = Math.max(mostWeight, weight);
      await setImmediate();
      running -= 1;
      weight -= item;
    });
    expect(mostRunning).toBe(3);
    expect(mostWeight).toBeLessThanOrEqual(100);
  });

  it("stops at the first failure, once everything under way has ended", async () => {
    const started: number[] = [];
    let aborted = 0;
    const work = async (item: number, signal: AbortSignal): Promise<void> => {
      started.push(item);
      if (item === 2) throw new Error("two");
      await setImmediate();
      if (signal.aborted) aborted += 1;
    };
    await expect(forEachBounded([1, 2, 3, 4, 5, 6], bounds(), work)).rejects.toThrow("two");
    expect(started.length).toBeLessThan(6);
    expect(aborted).toBeGreaterThan(0);
  });

  it("fails where the items or the signal do", async () => {
    async function* failing() {
      yield 1;
      throw new Error("no more");
    }
    await expect(forEachBounded(failing(), bounds(), async () => {})).rejects.toThrow("no more");
    const signal = AbortSignal.abort(new Error("given up"));
    await expect(forEachBounded([1], bounds({ signal }), async () => {})).rejects.toThrow(
      "given up",
    );
  });
});

describe("a target folder", () => {
  it("refuses paths that lead out of it, however they came here", async () => {
    await using sandbox = await Sandbox.create();
    for (const path of ["../out", "/etc/passwd", "a/../../b", "a//b", "C:/x", "a\\..\\b"]) {
      await expect(
        TargetFolder.inspect(sandbox.path("out"), [path], { force: true }),
      ).rejects.toMatchObject({ code: "invalid_path" });
    }
    const overlapping = TargetFolder.inspect(sandbox.path("out"), ["a", "a/b"], { force: true });
    await expect(overlapping).rejects.toMatchObject({ code: "path_conflict" });
  });

  it("refuses two paths that the file system takes for one", async () => {
    await using sandbox = await Sandbox.create();
    const target = await TargetFolder.inspect(sandbox.path("out"), ["A/x", "a/y"], {
      force: false,
    });
    await target.prepare();
    // As a file system would that does not tell them apart: the other folder is there already.
    const staged = await target.stage("A/x");
    await mkdir(staged.replace(/A\/x$/, "a"));
    await expect(target.stage("a/y")).rejects.toMatchObject({
      code: "path_conflict",
      message: expect.stringContaining("cannot be told apart"),
    });
    await target.discard();
  });

  it("looks again before it replaces anything", async () => {
    await using sandbox = await Sandbox.create();
    await mkdir(sandbox.path("out"));
    const target = await TargetFolder.inspect(sandbox.path("out"), ["a"], { force: false });
    await target.prepare();
    await writeFile(await target.stage("a"), "new");
    await writeFile(sandbox.path("out/a"), "came meanwhile");
    await expect(target.publish(["a"])).rejects.toMatchObject({ code: "path_conflict" });
    await target.discard();
    expect(await readFile(sandbox.path("out/a"), "utf8")).toBe("came meanwhile");
  });
});
