import { describe, expect, test } from "vitest";
import {
  assertName,
  assertNamespace,
  assertTag,
  assertVariant,
  assertVersion,
} from "../src/index.ts";
import { refusalOf } from "./refusal.ts";
import vectors from "../vectors/names.json" with { type: "json" };

const rules = [
  { part: "namespace", assert: assertNamespace, ...vectors.name },
  { part: "name", assert: assertName, ...vectors.name },
  { part: "variant", assert: assertVariant, ...vectors.name },
  { part: "tag", assert: assertTag, ...vectors.name },
  { part: "version", assert: assertVersion, ...vectors.version },
];

describe.each(rules)("a $part", ({ part, assert, valid, invalid }) => {
  test.each(valid)("may be %s", (text) => {
    expect(() => assert(text)).not.toThrow();
  });

  test.each(invalid)("is refused: $why", ({ text }) => {
    expect(() => assert(text)).toThrow(
      expect.objectContaining({ code: "invalid_name", message: expect.stringContaining(part) }),
    );
  });

  test("is refused at once where it is megabytes long, and not repeated in the message", () => {
    const error = refusalOf(() => assert("a".repeat(5_000_000)));
    expect(error.message.length).toBeLessThan(250);
    expect(error.context).toMatchObject({ limit: 128 });
  });

  test("is refused with a message that holds none of its control characters", () => {
    const error = refusalOf(() => assert("a\u0000\u007f\u0085\u009fb"));
    expect(error.message).toContain(String.raw`"a\u0000\u007f\u0085\u009fb"`);
  });

  test("is refused where it is no text", () => {
    for (const value of [undefined, null, 1, ["a"]]) {
      expect(() => Reflect.apply(assert, undefined, [value])).toThrow(`A ${part} is a text`);
    }
  });
});
