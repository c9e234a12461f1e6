import assert from "node:assert/strict";
import {
  addressOf,
  assertRejects,
  assertSameBytes,
  type ConformanceCase,
  joined,
  sampleBytes,
} from "./scope.ts";

/** sync and resume. */
export const resumingCases: readonly ConformanceCase[] = [
  {
    name: "syncs up to what was written and never goes back",
    async run(scope) {
      const staged = await scope.stage();
      assert.equal(await staged.sync(), 0);
      let before = 0;
      for (const size of [1, 1000, 500_000]) {
        await staged.write(sampleBytes(size));
        const durable = await staged.sync();
        assert.ok(durable >= before && durable <= staged.sizeBytes, `durable ${durable}`);
        before = durable;
      }
    },
  },
  {
    name: "resumes at the durable offset and commits the whole",
    async run(scope) {
      const bytes = sampleBytes(300_000);
      const address = await addressOf(bytes);
      const first = await scope.stageBytes(bytes.subarray(0, 200_000));
      const durable = await first.sync();
      const resumed = scope.track(await scope.backend.resume(first.id));
      assert.equal(resumed.id, first.id);
      assert.ok(resumed.sizeBytes >= durable && resumed.sizeBytes <= 200_000);
      await resumed.write(bytes.subarray(resumed.sizeBytes));
      assert.equal(resumed.sizeBytes, bytes.length);
      const receipt = await scope.commit(resumed, address);
      assert.equal(receipt.sizeBytes, bytes.length);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "resumes twice, losing nothing that was synced",
    async run(scope) {
      const bytes = sampleBytes(90_000);
      let staged = await scope.stage();
      for (const end of [30_000, 60_000]) {
        await staged.write(bytes.subarray(staged.sizeBytes, end));
        const durable = await staged.sync();
        staged = scope.track(await scope.backend.resume(staged.id));
        assert.ok(staged.sizeBytes >= durable);
      }
      await staged.write(bytes.subarray(staged.sizeBytes));
      const address = await addressOf(bytes);
      await scope.commit(staged, address);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "refuses to resume what was never staged, was aborted or was committed",
    async run(scope) {
      for (const id of ["", ".", "..", "../..", "a/b", "/etc/passwd", "\0", "no-such-id"]) {
        await assertRejects(scope.backend.resume(id), "staged_not_found");
      }
      const aborted = await scope.stageBytes(sampleBytes(100));
      await aborted.abort();
      await assertRejects(scope.backend.resume(aborted.id), "staged_not_found");
      const committed = await scope.stageBytes(sampleBytes(100));
      await scope.commit(committed, await addressOf(sampleBytes(100)));
      await assertRejects(scope.backend.resume(committed.id), "staged_not_found");
    },
  },
  {
    name: "resumes in another process what the first one synced",
    async run(scope) {
      const bytes = sampleBytes(120_000);
      const first = await scope.stageBytes(bytes.subarray(0, 100_000));
      const durable = await first.sync();
      const other = await scope.openAnother();
      const resumed = scope.track(await other.resume(first.id));
      assert.ok(resumed.sizeBytes >= durable);
      await resumed.write(bytes.subarray(resumed.sizeBytes));
      const address = await addressOf(bytes);
      await scope.commit(resumed, address);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "shows another process what was committed, and keeps it after close",
    async run(scope) {
      const bytes = sampleBytes(20_000);
      const other = await scope.openAnother();
      const staged = await scope.stage({}, other);
      await staged.write(bytes);
      const address = await addressOf(bytes);
      await scope.commit(staged, address);
      assertSameBytes(await scope.read(address), bytes);
      await other.close();
      const later = await scope.openAnother();
      assertSameBytes(await joined(later.open(address)), bytes);
      assert.deepEqual(await later.stat(address), { address, sizeBytes: 20_000 });
    },
  },
  {
    name: "lists and discards what another process staged",
    async run(scope) {
      const other = await scope.openAnother();
      const staged = await scope.stage({ lease: "gone" }, other);
      await staged.write(sampleBytes(1000));
      await staged.sync();
      let found = 0;
      for await (const { id, lease } of scope.backend.listStaged()) {
        assert.equal(lease, "gone");
        await scope.backend.discardStaged(id);
        found++;
      }
      assert.ok(found > 0, "the other's staged bytes were not listed");
      await assertRejects(other.resume(staged.id), "staged_not_found");
    },
  },
];
