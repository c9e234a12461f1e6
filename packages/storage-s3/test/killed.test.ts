import { addressOf, gathered, joined } from "@store/storage/conformance";
import type { StorageBackend } from "@store/storage";
import { proving } from "@store/testing/prove";
import { startS3Double, type S3Double } from "@store/testing/s3-double";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bucket } from "./lib/bucket.ts";
import { assertSameBytes, manyBytes, MIB, put, sweep } from "./lib/bytes.ts";

let double: S3Double;

beforeAll(async () => {
  double = await startS3Double();
});
afterAll(async () => double.close());

/** What an upload does, in the order in which its requests are made. */
type Work = (backend: StorageBackend) => Promise<unknown>;

const works: Readonly<Record<string, Work>> = {
  "a small object": (backend) => put(backend, manyBytes(1000)),
  "a large object under a claim": (backend) => put(backend, manyBytes(18 * MIB), { claimed: true }),
  "a large object without one": (backend) => put(backend, manyBytes(18 * MIB)),
  "an upload that is synced, resumed, read back and committed": async (backend) => {
    const bytes = manyBytes(17 * MIB + 5);
    const staged = await backend.stage({ lease: "test" });
    await staged.write(bytes.subarray(0, 3 * MIB));
    await staged.sync();
    const resumed = await backend.resume(staged.id);
    await resumed.write(bytes.subarray(resumed.sizeBytes));
    await joined(resumed.read());
    await resumed.commit(await addressOf(bytes));
  },
  "an upload that is aborted": async (backend) => {
    const bytes = manyBytes(18 * MIB);
    for (const claim of [undefined, await addressOf(bytes)]) {
      const options = claim === undefined ? {} : { claim };
      const staged = await backend.stage({ lease: "test", ...options });
      await staged.write(bytes);
      await staged.abort();
    }
  },
};

const lasts = ["lose-answer", "reset-request"] as const;

for (const [name, work] of Object.entries(works)) {
  test(`a process that dies at any request of ${name} leaves nothing that no sweep finds`, async () => {
    const dry = new Bucket(double);
    const trial = await dry.open({ attempts: 1, parallelParts: 1 });
    await double.forgetRequests();
    await work(trial);
    const requests = (await double.requests()).length;
    await trial.close();
    await dry.dispose();
    expect(requests).toBeGreaterThan(0);
    for (let at = 0; at < requests; at++) {
      // The last request before the end took effect, or it did not.
      const endings = proving ? lasts : lasts.filter((_, index) => index === at % 2);
      for (const last of endings) await dieAt(work, at, last);
    }
  });
}

async function dieAt(work: Work, at: number, last: (typeof lasts)[number]): Promise<void> {
  const bucket = new Bucket(double);
  const dying = await bucket.open({ attempts: 1, parallelParts: 1 });
  const ending = last === "lose-answer" ? { effect: last } : { effect: last, afterBytes: 0 };
  await double.addFault({ ...ending, skip: at });
  const gone = { effect: "reset-request", afterBytes: 0 } as const;
  await double.addFault({ ...gone, skip: at, times: Infinity });
  await work(dying).catch(() => undefined);
  await dying.close();
  await double.clearFaults();
  const later = await bucket.open();
  await sweep(later);
  expect(await gathered(later.listStaged()), `${last} at ${at}`).toEqual([]);
  for (const { address } of await gathered(later.enumerate())) {
    const bytes = await joined(later.open(address));
    expect(await addressOf(bytes)).toBe(address);
    await later.remove(address);
  }
  expect(await bucket.leftovers(), `${last} at ${at}`).toEqual([]);
  await later.close();
  bucket.client.destroy();
}

test("what was synced before a death at any later request can be gone on with", async () => {
  const bytes = manyBytes(20 * MIB + 1);
  for (const cut of [1000, 9 * MIB, 17 * MIB]) {
    for (let at = 0; at < 6; at++) {
      const bucket = new Bucket(double);
      const dying = await bucket.open({ attempts: 1, parallelParts: 2 });
      const staged = await dying.stage({ lease: "test" });
      await staged.write(bytes.subarray(0, cut));
      await staged.sync();
      const gone = { effect: "reset-request", afterBytes: 0 } as const;
      await double.addFault({ ...gone, skip: at, times: Infinity });
      const rest = async () => {
        await staged.write(bytes.subarray(cut));
        await staged.commit(await addressOf(bytes));
      };
      await rest().catch(() => undefined);
      await double.clearFaults();
      const later = await bucket.open();
      const resumed = await later.resume(staged.id);
      expect(resumed.sizeBytes).toBeGreaterThanOrEqual(cut);
      await resumed.write(bytes.subarray(resumed.sizeBytes));
      const { address } = await resumed.commit(await addressOf(bytes));
      assertSameBytes(await joined(later.open(address)), bytes);
      await sweep(later);
      await later.remove(address);
      expect(await bucket.leftovers()).toEqual([]);
      await dying.close();
      await later.close();
      bucket.client.destroy();
    }
  }
});
