import assert from "node:assert/strict";
import type { StagedStat } from "../contract.ts";
import {
  addressOf,
  assertRejects,
  assertSameBytes,
  type ConformanceCase,
  gathered,
  joined,
  sampleBytes,
  type Scope,
} from "./scope.ts";

/** stage, write, abort, listStaged and discardStaged. */
export const stagingCases: readonly ConformanceCase[] = [
  {
    name: "shows nothing of staged bytes before commit",
    async run(scope) {
      const bytes = sampleBytes(10_000);
      const address = await addressOf(bytes);
      const staged = await scope.stageBytes(bytes);
      assert.equal(await scope.backend.stat(address), undefined);
      await assertRejects(joined(scope.backend.open(address)), "object_not_found");
      assert.deepEqual(await gathered(scope.backend.enumerate()), []);
      await staged.sync();
      assert.equal(await scope.backend.stat(address), undefined);
      assert.deepEqual(await gathered(scope.backend.enumerate()), []);
    },
  },
  {
    name: "gives every staged thing an id of its own, in printable ASCII",
    async run(scope) {
      const staged = await Promise.all(Array.from({ length: 20 }, () => scope.stage()));
      const ids = new Set(staged.map(({ id }) => id));
      assert.equal(ids.size, 20);
      for (const id of ids) assert.match(id, /^[!-~]{1,1024}$/);
    },
  },
  {
    name: "lists what is staged, with its lease and size",
    async run(scope) {
      await scope.stage({ lease: "lease-a" });
      const second = await scope.stageBytes(sampleBytes(5000), { lease: "lease-b" });
      await second.sync();
      const leases = await stagedByLease(scope);
      assert.deepEqual([...leases.keys()].toSorted(), ["lease-a", "lease-b"]);
      assert.ok(leases.get("lease-a")?.every(({ sizeBytes }) => sizeBytes === 0));
      assert.ok(leases.get("lease-b")?.every(({ sizeBytes }) => sizeBytes <= 5000));
    },
  },
  {
    name: "refuses a lease id that breaks its rule",
    async run(scope) {
      for (const lease of ["", "A", "a/b", "../a", "a b", "a".repeat(65), "ä", "a\n"]) {
        await assertRejects(scope.stage({ lease }), "invalid_argument");
      }
      await scope.stage({ lease: "a".repeat(64) });
      await scope.stage({ lease: "0-9" });
    },
  },
  {
    name: "counts the bytes that were written",
    async run(scope) {
      const staged = await scope.stage();
      assert.equal(staged.sizeBytes, 0);
      await staged.write(sampleBytes(3));
      await staged.write(new Uint8Array(0));
      await staged.write(sampleBytes(70_000));
      assert.equal(staged.sizeBytes, 70_003);
    },
  },
  {
    name: "keeps chunks of every size, in their order",
    async run(scope) {
      const sizes = [1, 0, 65_536, 1_048_577, 7, 4096, 300_000];
      const whole = sampleBytes(sizes.reduce((sum, size) => sum + size));
      const staged = await scope.stage();
      let offset = 0;
      for (const size of sizes) await staged.write(whole.subarray(offset, (offset += size)));
      const address = await addressOf(whole);
      await scope.commit(staged, address);
      assertSameBytes(await scope.read(address), whole);
    },
  },
  {
    name: "leaves a written chunk to its caller, who may reuse it",
    async run(scope) {
      const chunk = Buffer.alloc(32_768);
      const expected = Buffer.concat([Buffer.alloc(32_768, 1), Buffer.alloc(32_768, 2)]);
      const staged = await scope.stage();
      await staged.write(chunk.fill(1));
      await staged.write(chunk.fill(2));
      chunk.fill(3);
      const address = await addressOf(expected);
      await scope.commit(staged, address);
      assertSameBytes(await scope.read(address), expected);
    },
  },
  {
    name: "takes the claim and the expected size as hints, not as limits",
    async run(scope) {
      const bytes = sampleBytes(50_000);
      const claim = await addressOf(sampleBytes(10, 2));
      const staged = await scope.stageBytes(bytes, { claim, expectedSizeBytes: 10 });
      const address = await addressOf(bytes);
      await scope.commit(staged, address);
      assertSameBytes(await scope.read(address), bytes);
      assert.equal(await scope.backend.stat(claim), undefined);
    },
  },
  {
    name: "discards on abort, as often as it is asked, and writes no more",
    async run(scope) {
      const staged = await scope.stageBytes(sampleBytes(10_000));
      await staged.abort();
      assert.deepEqual(await gathered(scope.backend.listStaged()), []);
      await staged.abort();
      await assertRejects(staged.write(sampleBytes(1)), "staged_not_found");
      await assertRejects(staged.sync(), "staged_not_found");
      const address = await addressOf(sampleBytes(10_000));
      await assertRejects(scope.commit(staged, address), "staged_not_found");
      assert.equal(await scope.backend.stat(address), undefined);
    },
  },
  {
    name: "discards staged bytes by their id, also while they are being written",
    async run(scope) {
      const staged = await scope.stageBytes(sampleBytes(10_000));
      await scope.stage();
      for await (const { id } of scope.backend.listStaged()) await scope.backend.discardStaged(id);
      assert.deepEqual(await gathered(scope.backend.listStaged()), []);
      await assertRejects(scope.backend.resume(staged.id), "staged_not_found");
      await staged.abort();
    },
  },
  {
    name: "takes an id that is gone, or never was one, as discarded",
    async run(scope) {
      const address = await scope.put(sampleBytes(100));
      const ids = ["", ".", "..", "../..", "a/b", "/etc/passwd", "\0", "no-such-id", address];
      for (const id of ids) await scope.backend.discardStaged(id);
      assertSameBytes(await scope.read(address), sampleBytes(100));
    },
  },
];

async function stagedByLease(scope: Scope): Promise<Map<string, StagedStat[]>> {
  return Map.groupBy(await gathered(scope.backend.listStaged()), ({ lease }) => lease);
}
