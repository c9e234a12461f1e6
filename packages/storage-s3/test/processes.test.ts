import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { account, proving, rounds } from "@store/testing/prove";
import { startS3Double, type S3Double } from "@store/testing/s3-double";
import { startS3DoubleProcess } from "@store/testing/s3-double-process";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Bucket } from "./lib/bucket.ts";
import { addressWith, assertSameBytes, MIB, sweep } from "./lib/bytes.ts";
import { Program } from "./lib/program.ts";

let double: S3Double;

beforeAll(async () => {
  double = await startS3Double();
});
afterAll(async () => double.close());

interface Synced {
  readonly id: string;
  readonly durableBytes: number;
}

test("bytes that a killed process had synced are gone on with by another, or swept", async () => {
  const slab = sampleBytes(MIB);
  const total = rounds(30);
  for (let round = 0; round < total; round++) {
    for (const claim of ["", addressWith("ab")]) {
      const bucket = new Bucket(double);
      const program = new Program("stage-for-ever.ts", [JSON.stringify(bucket.options), claim]);
      await program.printedLines(1 + (round % 3));
      await program.kill();
      const { id, durableBytes } = program.printed.at(-1) as Synced;
      const backend = await bucket.open();
      const resumed = await backend.resume(id);
      expect(resumed.sizeBytes).toBeGreaterThanOrEqual(durableBytes);
      expect(durableBytes).toBeGreaterThan(15 * MIB);
      if (claim === "") {
        const whole = Buffer.alloc(resumed.sizeBytes + 3, slab);
        await resumed.write(whole.subarray(-3));
        assertSameBytes(await joined(resumed.read()), whole);
        const { address } = await resumed.commit(await addressOf(whole));
        assertSameBytes(await joined(backend.open(address)), whole);
        await backend.remove(address);
      }
      await sweep(backend);
      expect(await gathered(backend.listStaged())).toEqual([]);
      expect(await bucket.leftovers()).toEqual([]);
      await backend.close();
      bucket.client.destroy();
    }
  }
  account("s3 storage: a writer killed while it syncs", { rounds: total });
});

test("memory stays bounded, however much is transferred and how many at once", async () => {
  const apart = await startS3DoubleProcess();
  onTestFinished(async () => apart.close());
  // Of which Node.js and the SDK take 115 MiB.
  const limitBytes = 320 * MIB;
  const transfers = proving
    ? [
        [1, 5 * 1024],
        [8, 1024],
      ]
    : [
        [1, 1024],
        [6, 64],
      ];
  for (const [atOnce = 1, mib = 1] of transfers) {
    const bucket = new Bucket(apart);
    const options = JSON.stringify(bucket.options);
    const program = new Program("transfer.ts", [options, String(mib), String(atOnce)]);
    const [result] = await program.finished();
    const { readBytes, peakBytes } = result as { readBytes: number[]; peakBytes: number };
    expect(readBytes).toEqual(Array.from({ length: atOnce }, () => mib * MIB));
    expect(peakBytes).toBeLessThan(limitBytes);
    expect(await bucket.leftovers()).toEqual([]);
    account("s3 storage: memory of transfers", {
      atOnce,
      mib,
      peakMib: Math.round(peakBytes / MIB),
    });
    bucket.client.destroy();
  }
});
