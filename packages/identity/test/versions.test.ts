import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import compareByOracle from "semver/functions/compare.js";
import parseByOracle from "semver/functions/parse.js";
import { compareVersions, isPrerelease, isSemver, latestOf, versionSortKey } from "../src/index.ts";
import type { LatestCandidate } from "../src/index.ts";
import vectors from "../vectors/versions.json" with { type: "json" };

const [noSemver = [], ...semverGroups] = vectors.groups;
const ranked = vectors.groups.flatMap((group, rank) => group.map((version) => ({ version, rank })));

const digits = fc.oneof(
  fc.nat(12).map(String),
  fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
);
const identifier = fc.oneof(digits, fc.stringMatching(/^[0-9a-zA-Z-]{1,4}$/));
const suffix = (mark: string): fc.Arbitrary<string> =>
  fc
    .array(identifier, { maxLength: 3 })
    .map((parts) => (parts.length === 0 ? "" : `${mark}${parts.join(".")}`));
const likeSemver = fc
  .tuple(fc.array(digits, { minLength: 2, maxLength: 4 }), suffix("-"), suffix("+"))
  .map(([numbers, prerelease, build]) => numbers.join(".") + prerelease + build)
  .filter((version) => version.length <= 128);
const version = fc.oneof(
  { weight: 4, arbitrary: likeSemver },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/) },
);

describe("precedence", () => {
  test("orders the versions of the vectors as they stand", () => {
    for (const a of ranked) {
      for (const b of ranked) {
        const order = Math.sign(compareVersions(a.version, b.version));
        expect([a.version, b.version, order]).toEqual([
          a.version,
          b.version,
          Math.sign(a.rank - b.rank),
        ]);
      }
    }
  });

  test("is that of the semver package wherever that has one", () => {
    // Its numbers end at 2^53 - 1.
    fc.assert(
      fc.property(version.filter(isKnownToOracle), version.filter(isKnownToOracle), (a, b) => {
        fc.pre(isSemver(a) && isSemver(b));
        expect(Math.sign(compareVersions(a, b))).toBe(compareByOracle(a, b));
      }),
      { numRuns: 2000 },
    );
  });

  test("takes for semver, and for a prerelease, what the semver package does", () => {
    // Apart from what that reads more widely: a leading v or =.
    const strictly = version.filter((text) => isKnownToOracle(text) && /^[0-9]/.test(text));
    fc.assert(
      fc.property(strictly, (text) => {
        expect(isSemver(text)).toBe(true);
        expect(isPrerelease(text)).toBe((parseByOracle(text)?.prerelease.length ?? 0) > 0);
      }),
      { numRuns: 2000 },
    );
  });

  test("takes for no semver what the semver package refuses", () => {
    // Apart from numbers above its limit.
    const refused = version.filter((text) => !isKnownToOracle(text) && !/[0-9]{16}/.test(text));
    fc.assert(
      fc.property(refused, (text) => {
        expect(isSemver(text)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test("is total: antisymmetric and transitive", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
        const [low, middle, high] = [a, b, c].toSorted(compareVersions);
        expect(compareVersions(low ?? "", middle ?? "")).toBeLessThanOrEqual(0);
        expect(compareVersions(low ?? "", high ?? "")).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("knows semver and prereleases by the vectors", () => {
    for (const text of noSemver) {
      expect([text, isSemver(text), isPrerelease(text)]).toEqual([text, false, false]);
    }
    for (const text of semverGroups.flat()) {
      const prerelease = text.split("+")[0]?.includes("-");
      expect([text, isSemver(text), isPrerelease(text)]).toEqual([text, true, prerelease]);
    }
  });

  test("does not take long over a version of megabytes", () => {
    expect(isSemver(`1.0.0-${"0".repeat(5_000_000)}a`)).toBe(false);
  });
});

describe("the sort key", () => {
  test("orders bytewise as precedence does", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const order = Buffer.compare(
          Buffer.from(versionSortKey(a)),
          Buffer.from(versionSortKey(b)),
        );
        expect(order).toBe(Math.sign(compareVersions(a, b)));
      }),
      { numRuns: 5000 },
    );
  });

  test("orders the vectors as they stand", () => {
    for (const a of ranked) {
      for (const b of ranked) {
        const order = Buffer.compare(
          Buffer.from(versionSortKey(a.version)),
          Buffer.from(versionSortKey(b.version)),
        );
        expect([a.version, b.version, order]).toEqual([
          a.version,
          b.version,
          Math.sign(a.rank - b.rank),
        ]);
      }
    }
  });

  test("never changes: these keys are stored", () => {
    expect(versionSortKey("1.2.0")).toBe("1011012010~");
    expect(versionSortKey("1.2.0+build.5")).toBe("1011012010~");
    expect(versionSortKey("10.0.0-rc.1")).toBe("102100100101rc!0011!");
    expect(versionSortKey("v1.2.0")).toBe("0");
  });

  test("is printable ASCII of at most 256 characters", () => {
    const longest = `0.0.0-${"0.".repeat(60)}10`;
    expect(longest).toHaveLength(128);
    expect(versionSortKey(longest)).toHaveLength(256);
    expect(versionSortKey(`${"9".repeat(124)}.0.0`)).toMatch(/^[!-~]{1,256}$/);
    fc.assert(
      fc.property(version, (text) => {
        expect(versionSortKey(text)).toMatch(/^[!-~]{1,256}$/);
      }),
    );
  });

  test("is refused for what is no version", () => {
    expect(() => versionSortKey("1.0.0/linux")).toThrow(
      expect.objectContaining({ code: "invalid_name" }),
    );
  });
});

describe("latest", () => {
  test("is the highest version, whatever was finalized last", () => {
    expect(latestOf(finalized("1.10.0", "1.9.0", "1.2.0"))).toBe("1.10.0");
  });

  test("leaves prereleases out", () => {
    expect(latestOf(finalized("1.0.0", "2.0.0-rc.1"))).toBe("1.0.0");
    expect(latestOf(finalized("2.0.0-rc.1"))).toBeUndefined();
  });

  test("leaves yanked versions out", () => {
    const candidates = finalized("1.0.0", "2.0.0").map((candidate) => ({
      ...candidate,
      yanked: candidate.version === "2.0.0",
    }));
    expect(latestOf(candidates)).toBe("1.0.0");
  });

  test("prefers any semver to what is none, and among those the one finalized last", () => {
    expect(latestOf(finalized("0.0.1", "nightly", "2024-01-31"))).toBe("0.0.1");
    expect(latestOf(finalized("zulu", "alpha"))).toBe("alpha");
  });

  test("of equal precedence is the one finalized last", () => {
    expect(latestOf(finalized("1.0.0+b", "1.0.0+a"))).toBe("1.0.0+a");
  });

  test("does not exist where nothing is there", () => {
    expect(latestOf([])).toBeUndefined();
  });

  test("does not depend on the order of the candidates", () => {
    fc.assert(
      fc.property(fc.uniqueArray(version, { maxLength: 8 }), fc.func(fc.integer()), (all, key) => {
        const candidates = finalized(...all);
        const shuffled = candidates.toSorted((a, b) => key(a.version) - key(b.version));
        expect(latestOf(shuffled)).toBe(latestOf(candidates));
      }),
    );
  });
});

function isKnownToOracle(text: string): boolean {
  return parseByOracle(text) !== null;
}

/** Candidates, finalized in the order given. */
function finalized(...versions: readonly string[]): LatestCandidate[] {
  return versions.map((text, index) => ({
    version: text,
    finalizedSeq: index + 1,
    yanked: false,
  }));
}
