import assert from "node:assert/strict";
import type { ByteRange } from "../contract.ts";
import { malformedAddresses } from "./committing-cases.ts";
import {
  addressOf,
  assertRejects,
  assertSameBytes,
  type ConformanceCase,
  gathered,
  joined,
  sampleBytes,
} from "./scope.ts";

const SIZE_BYTES = 2_500_000;

const ranges: readonly ByteRange[] = [
  { start: 0 },
  { start: 0, end: 0 },
  { start: 0, end: 1 },
  { start: 0, end: SIZE_BYTES },
  { start: 1, end: 2 },
  { start: 65_535, end: 65_537 },
  { start: 262_143, end: 1_048_577 },
  { start: 1_234_567 },
  { start: SIZE_BYTES - 1 },
  { start: SIZE_BYTES },
  { start: SIZE_BYTES, end: SIZE_BYTES },
];

const impossibleRanges: readonly ByteRange[] = [
  { start: -1 },
  { start: 0, end: SIZE_BYTES + 1 },
  { start: SIZE_BYTES + 1 },
  { start: 2, end: 1 },
  { start: 0.5 },
  { start: 0, end: 1.5 },
  { start: Number.NaN },
  { start: 0, end: Number.POSITIVE_INFINITY },
];

/** open. */
export const readingCases: readonly ConformanceCase[] = [
  {
    name: "delivers exactly the range that is asked for",
    async run(scope) {
      const bytes = sampleBytes(SIZE_BYTES);
      const address = await scope.put(bytes);
      for (const range of ranges) {
        const part = await scope.read(address, range);
        assertSameBytes(part, bytes.subarray(range.start, range.end), JSON.stringify(range));
      }
    },
  },
  {
    name: "refuses a range that does not lie within the object, before any byte",
    async run(scope) {
      const address = await scope.put(sampleBytes(SIZE_BYTES));
      for (const range of impossibleRanges) {
        const first = scope.backend.open(address, { range })[Symbol.asyncIterator]().next();
        await assertRejects(first, "invalid_range");
      }
    },
  },
  {
    name: "says that an object is not there, before any byte",
    async run(scope) {
      const absent = await addressOf(sampleBytes(77, 77));
      const first = scope.backend.open(absent)[Symbol.asyncIterator]().next();
      await assertRejects(first, "object_not_found");
      const ranged = scope.backend.open(absent, { range: { start: 5 } });
      await assertRejects(joined(ranged), "object_not_found");
    },
  },
  {
    name: "refuses to read, stat or remove what is no content address",
    async run(scope) {
      for (const address of malformedAddresses) {
        await assertRejects(joined(scope.backend.open(address)), "invalid_digest");
        await assertRejects(scope.backend.stat(address), "invalid_digest");
        await assertRejects(scope.backend.remove(address), "invalid_digest");
      }
    },
  },
  {
    name: "fills a chunk again only once the third after it is asked for, where it may",
    async run(scope) {
      const bytes = sampleBytes(7 * 1024 * 1024 + 5);
      const address = await scope.put(bytes);
      const copies: Uint8Array[] = [];
      const recent: Uint8Array[] = [];
      for await (const chunk of scope.backend.open(address, { reuseChunks: true })) {
        recent.push(chunk);
        const left = recent.length > 2 ? recent.shift() : undefined;
        if (left !== undefined) copies.push(Uint8Array.from(left));
      }
      copies.push(...recent);
      assertSameBytes(Buffer.concat(copies), bytes);
    },
  },
  {
    name: "gives its reader chunks to keep and change",
    async run(scope) {
      const bytes = sampleBytes(SIZE_BYTES);
      const address = await scope.put(bytes);
      const kept = await gathered(scope.backend.open(address));
      for (const chunk of await gathered(scope.backend.open(address))) chunk.fill(0);
      assertSameBytes(Buffer.concat(kept), bytes, "chunks that were kept");
      assertSameBytes(await scope.read(address), bytes, "the object after a reader wrote");
    },
  },
  {
    name: "cuts an object into chunks of 1 byte to 1 MiB",
    async run(scope) {
      const address = await scope.put(sampleBytes(SIZE_BYTES));
      for await (const { length } of scope.backend.open(address)) {
        assert.ok(length > 0 && length <= 1024 * 1024, `a chunk of ${length} bytes`);
      }
    },
  },
  {
    name: "serves many readers of one object at once",
    async run(scope) {
      const bytes = sampleBytes(SIZE_BYTES);
      const address = await scope.put(bytes);
      const reads = Array.from({ length: 8 }, (_, index) => scope.read(address, { start: index }));
      for (const [index, part] of (await Promise.all(reads)).entries()) {
        assertSameBytes(part, bytes.subarray(index));
      }
    },
  },
  {
    name: "lets a reader leave early, and the object be removed after",
    async run(scope) {
      const address = await scope.put(sampleBytes(SIZE_BYTES));
      for (let round = 0; round < 50; round++) {
        for await (const chunk of scope.backend.open(address)) {
          assert.ok(chunk.length > 0);
          break;
        }
      }
      await scope.backend.remove(address);
      assert.equal(await scope.backend.stat(address), undefined);
    },
  },
  {
    name: "never ends a read well that is short because the object was removed",
    async run(scope) {
      const bytes = sampleBytes(SIZE_BYTES);
      const address = await scope.put(bytes);
      let received = 0;
      try {
        for await (const { length } of scope.backend.open(address)) {
          if (received === 0) await scope.backend.remove(address);
          received += length;
        }
      } catch {
        return;
      }
      assert.equal(received, bytes.length);
    },
  },
  {
    name: "stops a read when its signal says so",
    async run(scope) {
      const address = await scope.put(sampleBytes(SIZE_BYTES));
      const early = AbortSignal.abort(new Error("gone before"));
      await assertRejects(joined(scope.backend.open(address, { signal: early })), "aborted");
      const controller = new AbortController();
      const read = async () => {
        for await (const chunk of scope.backend.open(address, { signal: controller.signal })) {
          assert.ok(chunk.length < SIZE_BYTES, "one chunk holds everything");
          controller.abort(new Error("gone meanwhile"));
        }
      };
      await assertRejects(read(), "aborted");
    },
  },
];
