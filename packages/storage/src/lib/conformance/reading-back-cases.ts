import assert from "node:assert/strict";
import type { Staged } from "../contract.ts";
import {
  addressOf,
  assertRejects,
  assertSameBytes,
  type ConformanceCase,
  gathered,
  joined,
  sampleBytes,
} from "./scope.ts";

const LARGE = 2_600_001;

/** read, of staged bytes. */
export const readingBackCases: readonly ConformanceCase[] = [
  {
    name: "reads staged bytes back from the first, in chunks of at most 1 MiB",
    async run(scope) {
      const bytes = sampleBytes(LARGE);
      const staged = await scope.stage();
      for (const [from, to] of [
        [0, 1],
        [1, 70_000],
        [70_000, LARGE],
      ] as const) {
        await staged.write(bytes.subarray(from, to));
      }
      const chunks = await gathered(staged.read());
      assert.ok(chunks.every(({ length }) => length > 0 && length <= 1024 ** 2));
      assertSameBytes(await joined(staged.read()), bytes);
      for (const chunk of chunks) chunk.fill(0);
      assertSameBytes(await joined(staged.read()), bytes, "bytes after the chunks were changed");
    },
  },
  {
    name: "reads staged bytes back into chunks that may be filled again",
    async run(scope) {
      const bytes = sampleBytes(LARGE);
      const staged = await scope.stageBytes(bytes);
      const copies: Uint8Array[] = [];
      for await (const chunk of staged.read({ reuseChunks: true })) {
        copies.push(Uint8Array.from(chunk));
        // Whoever asked for the next chunk has no use for this one.
        chunk.fill(0);
      }
      assertSameBytes(Buffer.concat(copies), bytes);
    },
  },
  {
    name: "reads nothing back where nothing was written",
    async run(scope) {
      const staged = await scope.stage();
      assert.deepEqual(await gathered(staged.read()), []);
      await scope.commit(staged, await addressOf(new Uint8Array(0)));
    },
  },
  {
    name: "commits what was read back",
    async run(scope) {
      const bytes = sampleBytes(300_000);
      const staged = await scope.stageBytes(bytes);
      const address = await addressOf(await joined(staged.read()));
      const receipt = await scope.commit(staged, address);
      assert.equal(receipt.sizeBytes, bytes.length);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "takes no more bytes once they were read back, and can be aborted",
    async run(scope) {
      const staged = await scope.stageBytes(sampleBytes(100_000));
      await firstChunk(staged);
      await assertRejects(staged.write(sampleBytes(1)), "invalid_argument");
      await assertRejects(staged.sync(), "invalid_argument");
      assertSameBytes(await joined(staged.read()), sampleBytes(100_000));
      await staged.abort();
      assert.deepEqual(await gathered(scope.backend.listStaged()), []);
      await assertRejects(joined(staged.read()), "staged_not_found");
    },
  },
  {
    name: "makes what it reads back durable, for whoever resumes it",
    async run(scope) {
      const bytes = sampleBytes(150_000);
      const first = await scope.stageBytes(bytes);
      await firstChunk(first);
      const resumed = scope.track(await scope.backend.resume(first.id));
      assert.equal(resumed.sizeBytes, bytes.length);
      assertSameBytes(await joined(resumed.read()), bytes);
      const address = await addressOf(bytes);
      await scope.commit(resumed, address);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "reads back what was written before a resume and after it",
    async run(scope) {
      const bytes = sampleBytes(LARGE);
      const first = await scope.stageBytes(bytes.subarray(0, 1_500_000));
      await first.sync();
      const resumed = scope.track(await scope.backend.resume(first.id));
      await resumed.write(bytes.subarray(resumed.sizeBytes));
      assertSameBytes(await joined(resumed.read()), bytes);
    },
  },
  {
    name: "reads back in another process what the first one synced",
    async run(scope) {
      const bytes = sampleBytes(1_200_000);
      const first = await scope.stageBytes(bytes.subarray(0, 800_000));
      await first.sync();
      const other = await scope.openAnother();
      const resumed = scope.track(await other.resume(first.id));
      await resumed.write(bytes.subarray(resumed.sizeBytes));
      assertSameBytes(await joined(resumed.read()), bytes);
      const address = await addressOf(bytes);
      await scope.commit(resumed, address);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "gives a read of staged bytes up when its signal fires",
    async run(scope) {
      const staged = await scope.stageBytes(sampleBytes(LARGE));
      const given = new AbortController();
      given.abort();
      await assertRejects(joined(staged.read({ signal: given.signal })), "aborted");
      const later = new AbortController();
      const reading = async () => {
        for await (const _ of staged.read({ signal: later.signal })) later.abort();
      };
      await assertRejects(reading(), "aborted");
      assertSameBytes(await joined(staged.read()), sampleBytes(LARGE));
    },
  },
  {
    name: "reads nothing back of what was committed, discarded or resumed by another",
    async run(scope) {
      const committed = await scope.stageBytes(sampleBytes(100));
      await scope.commit(committed, await addressOf(sampleBytes(100)));
      await assertRejects(joined(committed.read()), "staged_not_found");
      const discarded = await scope.stageBytes(sampleBytes(100));
      await discarded.sync();
      await scope.backend.discardStaged(discarded.id);
      await assertRejects(joined(discarded.read()), "staged_not_found");
      const before = await scope.stageBytes(sampleBytes(100));
      await before.sync();
      scope.track(await scope.backend.resume(before.id));
      await assertRejects(joined(before.read()), "staged_not_found");
    },
  },
];

async function firstChunk(staged: Staged): Promise<void> {
  for await (const _ of staged.read()) return;
}
