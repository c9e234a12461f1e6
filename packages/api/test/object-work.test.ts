import * as v from "valibot";
import { describe, expect, it } from "vitest";

import * as api from "../src/index.ts";

describe("a line of a work on copies", () => {
  const problem = {
    type: "about:blank",
    title: "A backend fails or does not answer.",
    status: 503,
    detail: "The mirror does not answer.",
    code: "storage_unavailable",
  };
  const progress = {
    objects: 2,
    size: 10,
    changed: 0,
    copied: 0,
    removed: 0,
    skipped: 0,
    problem_count: 1,
    problems: [
      {
        content_address: `blake3:${"ab".repeat(32)}`,
        backend: "mirror",
        code: "a_code_of_tomorrow",
        message: "It is odd.",
      },
    ],
    total: 3,
    done: false,
    resumed: false,
  };

  it("is progress, or the problem that ended it", () => {
    expect(v.is(api.objectWorkLineSchema, progress)).toBe(true);
    expect(v.is(api.objectWorkLineSchema, problem)).toBe(true);
    expect(v.is(api.objectWorkLineSchema, { done: true })).toBe(false);
  });

  it("has codes that a client may not know yet", () => {
    const { problems } = api.decodeObjectWork(v.parse(api.objectWorkSchema, progress));
    expect(problems).toMatchObject([{ code: "internal", message: "It is odd." }]);
  });
});
