import type { ObjectWorkProgress } from "@store/api";
import { parseContentAddress } from "@store/identity";
import { describe, expect, it } from "vitest";

import { progressLines } from "../src/lib/http/progress-lines.ts";
import { problemOf } from "../src/lib/problem.ts";

const { signal } = new AbortController();

function told(work: AsyncIterable<ObjectWorkProgress>) {
  return progressLines(work, { quietMs: 5, signal, problemOf });
}

describe("the lines of a work", () => {
  it("go on where nothing happens, and say of problems nothing twice", async () => {
    const address = parseContentAddress(`blake3:${"ab".repeat(32)}`);
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const work = async function* (): AsyncGenerator<ObjectWorkProgress> {
      const problem = {
        address,
        backend: "mirror",
        code: "object_corrupt",
        message: "Bad.",
      } as const;
      const counts = { objects: 1, sizeBytes: 1, changed: 1, copied: 1, removed: 0, skipped: 0 };
      const facts = { ...counts, total: 2, resumed: false };
      yield { ...facts, problemCount: 1, problems: [problem], done: false };
      await released;
      yield { ...facts, problemCount: 1, problems: [], objects: 2, done: true };
    };
    const lines: unknown[] = [];
    for await (const bytes of told(work())) {
      lines.push(JSON.parse(Buffer.from(bytes).toString()));
      if (lines.length === 3) resolve();
    }
    expect(lines.slice(0, 3)).toMatchObject([
      { objects: 1, problem_count: 1, problems: [{ backend: "mirror" }] },
      { objects: 1, problem_count: 1, problems: [] },
      { objects: 1, problem_count: 1, problems: [] },
    ]);
    expect(lines.at(-1)).toMatchObject({ objects: 2, done: true });
  });

  it("begin before the work has anything to tell", async () => {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const work = async function* (): AsyncGenerator<ObjectWorkProgress> {
      await released;
      await Promise.reject(new Error("It is broken."));
      yield* [];
    };
    const lines: unknown[] = [];
    for await (const bytes of told(work())) {
      lines.push(JSON.parse(Buffer.from(bytes).toString()));
      resolve();
    }
    expect(lines[0]).toMatchObject({ objects: 0, total: 0, done: false });
    expect(lines.at(-1)).toMatchObject({ code: "internal", status: 500 });
  });
});
