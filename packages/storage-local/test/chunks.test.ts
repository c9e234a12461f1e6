import { openLocalStorage } from "@store/storage-local";
import { addressOf, joined, sampleBytes } from "@store/storage/conformance";
import { rounds } from "@store/testing/prove";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { assertSameBytes, newRoot, stagedIn } from "./lib/root-folder.ts";

const MEGABYTE = 1024 * 1024;

/** What happens after a chunk was written. */
const step = fc.record({
  sizeBytes: fc.oneof(
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 0, max: Math.floor(2.5 * MEGABYTE) }),
    fc.constantFrom(MEGABYTE - 1, MEGABYTE, MEGABYTE + 1),
  ),
  after: fc.constantFrom("nothing", "nothing", "sync", "resume"),
});

test("bytes come out as they went in, however they are cut, synced, resumed and read", async () => {
  const backend = await openLocalStorage({ root: await newRoot(onTestFinished) });
  onTestFinished(async () => backend.close());
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 6 }),
    fc.option(fc.nat(6 * MEGABYTE), { nil: undefined }),
    fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    async (steps, expectedSizeBytes, cuts) => {
      const total = steps.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const bytes = sampleBytes(total, steps.length + 1);
      let staged = await backend.stage({
        lease: "test",
        ...(expectedSizeBytes === undefined ? {} : { expectedSizeBytes }),
      });
      let written = 0;
      for (const { sizeBytes, after } of steps) {
        await staged.write(bytes.subarray(staged.sizeBytes, (written += sizeBytes)));
        if (after === "sync" || after === "resume") expect(await staged.sync()).toBe(written);
        if (after === "resume") staged = await backend.resume(staged.id);
        expect(staged.sizeBytes).toBe(written);
      }
      const address = await addressOf(bytes);
      expect((await staged.commit(address)).sizeBytes).toBe(total);
      const [start = 0, end = 0] = cuts
        .map((cut) => Math.floor(cut * total))
        .toSorted((a, b) => a - b);
      assertSameBytes(await joined(backend.open(address)), bytes);
      const part = await joined(backend.open(address, { range: { start, end } }));
      assertSameBytes(part, bytes.subarray(start, end));
      await backend.remove(address);
      expect(await stagedIn(backend)).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: rounds(300) });
});
