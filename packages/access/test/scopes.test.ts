import {
  formatScope,
  guardRegistry,
  includesScope,
  mayAccess,
  parseScope,
  parseScopes,
} from "@store/access";
import { isStoreError } from "@store/identity";
import { rounds } from "@store/testing/prove";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { allowsName, intersectScopes, isInstanceAdmin, simplifyScopes } from "../src/lib/scope.ts";
import { dialects, openTestAccess } from "./instance.ts";

const parts = ["a", "b", "a-b", "a-bc", "ab", "b-a"];
const prefixes = ["a*", "a-*", "a-b*", "b*"];
const pattern = fc.oneof(
  fc.constant("*"),
  fc.constantFrom(...prefixes).map((prefix) => `${prefix}/*`),
  fc
    .tuple(fc.constantFrom(...parts), fc.constantFrom(...parts, ...prefixes, "*"))
    .map(([namespace, name]) => `${namespace}/${name}`),
);
const level = fc.constantFrom("read", "write", "admin" as const);
const scope = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(level, pattern).map(([l, p]) => `${l}:${p}`) },
  { weight: 1, arbitrary: fc.constant("metrics") },
);
const scopes = fc.array(scope, { maxLength: 6 });
const names = parts.flatMap((namespace) => parts.map((name) => ({ namespace, name })));
const levels = ["read", "write", "admin"] as const;

/** Read letter by letter: `*` stands for the rest of a part, and alone for everything. */
function naivelyAllows(texts: readonly string[], wanted: string, name: string): boolean {
  return texts.some((text) => {
    const [has = "", of = ""] = text.split(":");
    const ranks = ["read", "write", "admin"];
    if (ranks.indexOf(has) < ranks.indexOf(wanted)) return false;
    const shape = of === "*" ? "*/*" : of;
    return new RegExp(`^${shape.replaceAll("*", "[^/]*")}$`).test(name);
  });
}

function everyName(check: (wanted: (typeof levels)[number], name: (typeof names)[number]) => void) {
  for (const wanted of levels) for (const name of names) check(wanted, name);
}

test("what scopes cover is what their patterns say", () => {
  fc.assert(
    fc.property(scopes, (texts) => {
      const parsed = parseScopes(texts);
      const principal = { actor: "x", kind: "user", scopes: parsed } as const;
      everyName((wanted, name) => {
        const naive = naivelyAllows(texts, wanted, `${name.namespace}/${name.name}`);
        expect(mayAccess(principal, wanted, name)).toBe(naive);
      });
      expect(isInstanceAdmin(parsed)).toBe(texts.includes("admin:*"));
    }),
    { numRuns: rounds(5_000) },
  );
});

test("a token may do what both it and its owner may do, name by name", () => {
  fc.assert(
    fc.property(scopes, scopes, (token, owner) => {
      const both = intersectScopes(parseScopes(token), parseScopes(owner));
      everyName((wanted, name) => {
        const full = `${name.namespace}/${name.name}`;
        const naive = naivelyAllows(token, wanted, full) && naivelyAllows(owner, wanted, full);
        expect(allowsName(both, wanted, name)).toBe(naive);
      });
      const metrics = both.some((each) => each.level === "metrics");
      const granted = owner.includes("metrics") || owner.includes("admin:*");
      expect(metrics).toBe(token.includes("metrics") && granted);
    }),
    { numRuns: rounds(5_000) },
  );
});

test("a scope includes another exactly where it covers all that the other does", () => {
  fc.assert(
    fc.property(scope, scope, (one, other) => {
      if (!includesScope(parseScope(one), parseScope(other))) return;
      expect(one === "metrics").toBe(other === "metrics");
      everyName((wanted, { namespace, name }) => {
        const full = `${namespace}/${name}`;
        if (naivelyAllows([other], wanted, full)) {
          expect(naivelyAllows([one], wanted, full)).toBe(true);
        }
      });
    }),
    { numRuns: rounds(20_000) },
  );
});

test("a text that is read is written the same, and lists lose what is included", () => {
  fc.assert(
    fc.property(scope, (text) => {
      expect(formatScope(parseScope(text))).toBe(text);
    }),
  );
  const texts = ["read:acme/*", "write:acme/*", "read:*", "metrics", "read:*", "admin:acme/app"];
  expect(parseScopes(texts).map(formatScope)).toEqual([
    "admin:acme/app",
    "metrics",
    "read:*",
    "write:acme/*",
  ]);
  expect(simplifyScopes([])).toEqual([]);
});

test("everything else is no scope", () => {
  const texts = [
    "|read|read:|read:acme|read:*/acme|read: *|READ:*|delete:*|metrics:*|read:acme/*/x| read:*",
    "read:acme/a*b|admin:acme|write:a/b\n|read:Acme/*|read:*a/*|read:acme/*,write:*",
    `read:${"a".repeat(200)}/x`,
  ].flatMap((line) => line.split("|"));
  const codes = texts.map((text) => {
    try {
      parseScope(text);
      return `${text} was read`;
    } catch (error) {
      return isStoreError(error) ? error.code : String(error);
    }
  });
  expect(new Set(codes)).toEqual(new Set(["invalid_argument", "invalid_name"]));
  for (const value of [undefined, null, 7, {}, ["read:*"]]) {
    expect(() => parseScope(value as never)).toThrow(/no scope/);
  }
  expect(() => parseScopes(Array.from({ length: 101 }, () => "read:*"))).toThrow(/at most 100/);
});

describe.each(dialects)("scopes over a registry on %s", (dialect) => {
  test("show those names, and no others, that their patterns say", async () => {
    await using t = await openTestAccess(dialect);
    for (const { namespace, name } of names) {
      const { id } = await t.registry.createPackage({ namespace, name, version: "1.0.0" });
      await t.registry.finalizePackage(id);
    }
    await fc.assert(
      fc.asyncProperty(scopes, async (texts) => {
        const principal = { actor: "x", kind: "token", scopes: parseScopes(texts) } as const;
        if (!principal.scopes.some((each) => each.level !== "metrics")) return;
        const guarded = guardRegistry(t.registry, principal);
        const { items } = await guarded.listNames({}, { limit: 1_000 });
        const shown = items.map(({ namespace, name }) => `${namespace}/${name}`);
        const all = names.map(({ namespace, name }) => `${namespace}/${name}`).toSorted();
        const naive = all.filter((full) => naivelyAllows(texts, "read", full));
        expect(shown.toSorted()).toEqual(naive);
      }),
      { numRuns: rounds(500) },
    );
  });
});
