import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { multipartRanges } from "../src/lib/http/multipart-ranges.ts";
import { contentRange, selectRanges } from "../src/lib/http/ranges.ts";

const fiveGiB = 5 * 2 ** 30;

describe("the ranges of a request", () => {
  it.each([
    ["bytes=0-0", [[0, 1]]],
    ["bytes=0-", [[0, 1000]]],
    ["bytes=999-", [[999, 1000]]],
    ["bytes=0-5000", [[0, 1000]]],
    ["bytes=-1", [[999, 1000]]],
    ["bytes=-5000", [[0, 1000]]],
    ["BYTES=1-2", [[1, 3]]],
    [
      "bytes= 1-2 , 500-501 ,",
      [
        [1, 3],
        [500, 502],
      ],
    ],
    [
      "bytes=500-501,1-2",
      [
        [500, 502],
        [1, 3],
      ],
    ],
    ["bytes=500-600,550-700", [[500, 701]]],
    ["bytes=5-6,0-4", [[0, 7]]],
    [
      "bytes=0-0,100-100,900-900",
      [
        [0, 101],
        [900, 901],
      ],
    ],
    ["bytes=0-0,2000-,-0", [[0, 1]]],
    [`bytes=${"9".repeat(30)}-,1-1`, [[1, 2]]],
    [`bytes=3-${"9".repeat(30)}`, [[3, 1000]]],
  ])("%s are %j of 1,000 bytes", (header, expected) => {
    const ranges = expected.map(([start, end]) => ({ start, end }));
    expect(selectRanges(header, 1000)).toEqual(ranges);
  });

  it.each(["bytes=1000-", "bytes=-0", "bytes=1000-2000,5000-", `bytes=${"9".repeat(400)}-`])(
    "%s cannot be satisfied by 1,000 bytes",
    (header) => {
      expect(selectRanges(header, 1000)).toBe("unsatisfiable");
    },
  );

  it.each([
    undefined,
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=a-b",
    "bytes=5-4",
    "bytes=1-2,x",
    "bytes=1-2-3",
    "bytes=+1-2",
    "bytes=0x1-2",
    "bytes=1.5-2",
    "lines=1-2",
    " bytes=1-2",
  ])("%j are none, so that the whole is the answer", (header) => {
    expect(selectRanges(header, 1000)).toBe("whole");
  });

  it("are the whole where there is no byte to be named", () => {
    for (const header of ["bytes=0-", "bytes=-5", "bytes=0-0"]) {
      expect(selectRanges(header, 0)).toBe("whole");
    }
  });

  it("reach beyond 4 GiB", () => {
    const last = fiveGiB - 1;
    expect(selectRanges(`bytes=${last}-`, fiveGiB)).toEqual([{ start: last, end: fiveGiB }]);
    expect(selectRanges(`bytes=-${2 ** 32}`, fiveGiB)).toEqual([{ start: 2 ** 30, end: fiveGiB }]);
    expect(selectRanges(`bytes=${fiveGiB}-`, fiveGiB)).toBe("unsatisfiable");
    expect(contentRange({ start: 2 ** 32, end: fiveGiB }, fiveGiB)).toBe(
      "bytes 4294967296-5368709119/5368709120",
    );
  });

  it("are at most 100, and in a header that is read at all", () => {
    const apart = (count: number) =>
      `bytes=${Array.from({ length: count }, (_, index) => `${index * 1000}-${index * 1000}`).join()}`;
    expect(selectRanges(apart(100), fiveGiB)).toHaveLength(100);
    expect(selectRanges(apart(101), fiveGiB)).toBe("whole");
    expect(selectRanges(apart(100_000), fiveGiB)).toBe("whole");
    expect(selectRanges(`bytes=${"0-,".repeat(2000)}`, fiveGiB)).toEqual([
      { start: 0, end: fiveGiB },
    ]);
  });

  it("hold every byte that was asked for, once", () => {
    const bound = fc.nat({ max: 400 });
    const pairs = fc.array(fc.tuple(bound, bound), { minLength: 1, maxLength: 9 });
    const check = fc.property(pairs, (drawn) => {
      const asked = drawn.map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
      const ranges = selectRanges(`bytes=${asked.map((pair) => pair.join("-")).join()}`, 300);
      const wanted = asked.filter(([first = 0]) => first < 300);
      if (wanted.length === 0) return ranges === "unsatisfiable";
      if (typeof ranges === "string") return false;
      const times = Array.from({ length: 300 }, (_, at) =>
        ranges.filter(({ start, end }) => start <= at && at < end),
      ).map((holding) => holding.length);
      const held = wanted.every(([first = 0, last = 0]) =>
        times.slice(first, last + 1).every((count) => count === 1),
      );
      return held && times.every((count) => count <= 1);
    });
    expect(() => fc.assert(check)).not.toThrow();
  });
});

describe("a multipart body", () => {
  it("says its length before it is written", async () => {
    const ranges = [
      { start: 0, end: 3 },
      { start: 700, end: 710 },
      { start: 999, end: 1000 },
    ];
    const body = multipartRanges({
      ranges,
      sizeBytes: 1000,
      mediaType: "text/plain",
      open: async function* ({ start, end }) {
        yield Buffer.alloc(end - start, "x");
      },
    });
    const bytes = Buffer.concat(await Array.fromAsync(body.bytes));
    expect(bytes).toHaveLength(body.sizeBytes);
    const boundary = /boundary=(\S+)/.exec(body.mediaType)?.[1] ?? "";
    expect(bytes.toString()).toBe(
      [
        `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/1000\r\n\r\nxxx`,
        `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 700-709/1000\r\n\r\n${"x".repeat(10)}`,
        `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 999-999/1000\r\n\r\nx`,
        `--${boundary}--\r\n`,
      ].join("\r\n"),
    );
  });
});
