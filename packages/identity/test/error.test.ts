import { describe, expect, test } from "vitest";
import { isStoreError, StoreError, storeErrorCodes } from "../src/index.ts";

describe("a StoreError", () => {
  test("carries its code, cause and context", () => {
    const cause = new Error("disk");
    const error = new StoreError("storage_full", "No space.", { cause, context: { limit: 3 } });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: "storage_full", message: "No space.", cause });
    expect(error.context).toEqual({ limit: 3 });
    expect(String(error)).toBe("StoreError: No space.");
  });

  test("has no cause where none was given", () => {
    expect("cause" in new StoreError("internal", "x")).toBe(false);
  });

  test("keeps its context from being changed", () => {
    const context = { limit: 3 };
    const error = new StoreError("limit_exceeded", "x", { context });
    context.limit = 4;
    expect(error.context.limit).toBe(3);
    expect(Object.isFrozen(error.context)).toBe(true);
  });
});

describe("isStoreError", () => {
  test("tells a StoreError, and one code from another", () => {
    const error = new StoreError("closed", "x");
    expect(isStoreError(error)).toBe(true);
    expect(isStoreError(error, "closed")).toBe(true);
    expect(isStoreError(error, "aborted")).toBe(false);
  });

  test("knows those of another copy of the package", () => {
    const foreign = Object.assign(new Error("x"), { name: "StoreError", code: "closed" });
    expect(isStoreError(foreign, "closed")).toBe(true);
  });

  test.each([
    undefined,
    null,
    "closed",
    new Error("x"),
    { name: "StoreError", code: "closed" },
    Object.assign(new Error("x"), { code: "closed" }),
    Object.assign(new Error("x"), { name: "StoreError", code: "toString" }),
  ])("refuses %s", (value) => {
    expect(isStoreError(value)).toBe(false);
  });
});

test("every error code is snake case and has a meaning of one sentence", () => {
  for (const [code, meaning] of Object.entries(storeErrorCodes)) {
    expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
  }
});
