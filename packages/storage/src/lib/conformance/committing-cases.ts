import assert from "node:assert/strict";
import type { ContentAddress } from "@store/identity";
import {
  addressOf,
  assertRejects,
  assertSameBytes,
  type ConformanceCase,
  gathered,
  sampleBytes,
  sha256AddressOf,
} from "./scope.ts";

/** Texts that are no content address: a place must not make a key of one. */
export const malformedAddresses = [
  "",
  "blake3:",
  "../../etc/passwd",
  `blake3:${"a".repeat(63)}`,
  `blake3:${"A".repeat(64)}`,
  `md5:${"a".repeat(32)}`,
  `blake3:../../${"a".repeat(58)}`,
  `blake3:${"a".repeat(64)}/..`,
].map(unchecked);

/** A type is no guard at run time: callers in JavaScript, or with a cast, get this far. */
function unchecked(text: string): ContentAddress {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text as ContentAddress;
}

/** commit. */
export const committingCases: readonly ConformanceCase[] = [
  {
    name: "publishes the staged bytes under the address and returns a receipt",
    async run(scope) {
      const bytes = sampleBytes(100_000);
      const address = await addressOf(bytes);
      const staged = await scope.stageBytes(bytes);
      const receipt = await scope.commit(staged, address);
      assert.deepEqual(receipt, { address, sizeBytes: 100_000, existed: false });
      assert.deepEqual(await scope.backend.stat(address), { address, sizeBytes: 100_000 });
      assert.deepEqual(await gathered(scope.backend.listStaged()), []);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "holds an object of no bytes",
    async run(scope) {
      const empty = new Uint8Array(0);
      const address = await addressOf(empty);
      const receipt = await scope.commit(await scope.stage(), address);
      assert.deepEqual(receipt, { address, sizeBytes: 0, existed: false });
      assert.deepEqual(await scope.backend.stat(address), { address, sizeBytes: 0 });
      assertSameBytes(await scope.read(address), empty);
      assertSameBytes(await scope.read(address, { start: 0, end: 0 }), empty);
    },
  },
  {
    name: "holds an object of several megabytes and an odd byte",
    async run(scope) {
      const bytes = sampleBytes(5 * 1024 * 1024 + 1);
      const address = await scope.put(bytes);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "keeps objects of both algorithms apart",
    async run(scope) {
      const bytes = sampleBytes(1000);
      const first = await scope.put(bytes);
      const second = await scope.put(bytes, await sha256AddressOf(bytes));
      assert.notEqual(first, second);
      await scope.backend.remove(first);
      assert.equal(await scope.backend.stat(first), undefined);
      assertSameBytes(await scope.read(second), bytes);
    },
  },
  {
    name: "takes an object that is there already as committed, and drops the staged bytes",
    async run(scope) {
      const bytes = sampleBytes(30_000);
      const address = await scope.put(bytes);
      const again = await scope.commit(await scope.stageBytes(bytes), address);
      assert.deepEqual(again, { address, sizeBytes: 30_000, existed: true });
      assert.deepEqual(await gathered(scope.backend.listStaged()), []);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "answers a repeated commit as it answered the first",
    async run(scope) {
      const bytes = sampleBytes(30_000);
      const address = await addressOf(bytes);
      for (const existed of [false, true]) {
        const staged = await scope.stageBytes(bytes);
        assert.equal((await scope.commit(staged, address)).existed, existed);
        const { sizeBytes } = await scope.commit(staged, address);
        assert.equal(sizeBytes, 30_000);
        await staged.abort();
        assertSameBytes(await scope.read(address), bytes);
      }
    },
  },
  {
    name: "accepts no bytes after commit",
    async run(scope) {
      const bytes = sampleBytes(100);
      const staged = await scope.stageBytes(bytes);
      const address = await addressOf(bytes);
      await scope.commit(staged, address);
      await assertRejects(staged.write(bytes), "staged_not_found");
      await assertRejects(staged.sync(), "staged_not_found");
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "refuses other bytes of another size under an address that is taken",
    async run(scope) {
      const bytes = sampleBytes(1000);
      const address = await scope.put(bytes);
      for (const size of [999, 1001, 0]) {
        const staged = await scope.stageBytes(sampleBytes(size, 9));
        await assertRejects(scope.commit(staged, address), "size_mismatch");
        await staged.abort();
      }
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "refuses to make a key of what is no content address",
    async run(scope) {
      for (const address of malformedAddresses) {
        const staged = await scope.stageBytes(sampleBytes(10));
        await assertRejects(staged.commit(address), "invalid_digest");
        await staged.abort();
      }
    },
  },
  {
    name: "commits the same object from many callers at once",
    async run(scope) {
      const bytes = sampleBytes(40_000);
      const address = await addressOf(bytes);
      const staged = await Promise.all(Array.from({ length: 16 }, () => scope.stageBytes(bytes)));
      const receipts = await Promise.all(staged.map((one) => scope.commit(one, address)));
      assert.ok(receipts.some(({ existed }) => !existed));
      assert.ok(receipts.every(({ sizeBytes }) => sizeBytes === 40_000));
      assert.deepEqual(await gathered(scope.backend.listStaged()), []);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "commits different objects from many callers at once",
    async run(scope) {
      const all = Array.from({ length: 64 }, (_, index) => sampleBytes(4096, index + 1));
      const addresses = await Promise.all(all.map((bytes) => scope.put(bytes)));
      for (const [index, address] of addresses.entries()) {
        assertSameBytes(await scope.read(address), all[index] ?? new Uint8Array(0));
      }
      assert.equal((await gathered(scope.backend.enumerate())).length, 64);
    },
  },
];
