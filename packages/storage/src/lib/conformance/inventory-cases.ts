import assert from "node:assert/strict";
import { type ContentAddress, parseContentAddress } from "@store/identity";
import {
  addressOf,
  assertRejects,
  assertSameBytes,
  type ConformanceCase,
  gathered,
  joined,
  sampleBytes,
  type Scope,
  sha256AddressOf,
} from "./scope.ts";

/** stat, remove, enumerate, health, capabilities and close. */
export const inventoryCases: readonly ConformanceCase[] = [
  {
    name: "knows no object before one is committed",
    async run(scope) {
      assert.equal(await scope.backend.stat(await addressOf(sampleBytes(5))), undefined);
      assert.deepEqual(await gathered(scope.backend.enumerate()), []);
      assert.deepEqual(await gathered(scope.backend.listStaged()), []);
    },
  },
  {
    name: "removes an object once and for all, and takes absent as removed",
    async run(scope) {
      const bytes = sampleBytes(1000);
      const address = await scope.put(bytes);
      const kept = await scope.put(sampleBytes(1000, 2));
      await scope.backend.remove(address);
      await scope.backend.remove(address);
      assert.equal(await scope.backend.stat(address), undefined);
      await assertRejects(joined(scope.backend.open(address)), "object_not_found");
      assert.deepEqual(await addressesFrom(scope), [kept]);
    },
  },
  {
    name: "holds an object again that was removed before",
    async run(scope) {
      const bytes = sampleBytes(1000);
      const address = await scope.put(bytes);
      await scope.backend.remove(address);
      const receipt = await scope.commit(await scope.stageBytes(bytes), address);
      assert.equal(receipt.existed, false);
      assertSameBytes(await scope.read(address), bytes);
    },
  },
  {
    name: "removes one object from many callers at once",
    async run(scope) {
      const address = await scope.put(sampleBytes(1000));
      await Promise.all(Array.from({ length: 16 }, () => scope.backend.remove(address)));
      assert.equal(await scope.backend.stat(address), undefined);
    },
  },
  {
    name: "enumerates every object once, in order of address, with its size",
    async run(scope) {
      const sizes = Array.from({ length: 60 }, (_, index) => index * 10);
      const addresses = await Promise.all(sizes.map((size) => scope.put(sampleBytes(size, 3))));
      const other = await scope.put(sampleBytes(8), await sha256AddressOf(sampleBytes(8)));
      const listed = await gathered(scope.backend.enumerate());
      assert.deepEqual(
        listed.map(({ address }) => address),
        [...addresses, other].toSorted(),
      );
      const sizeOf = new Map(listed.map(({ address, sizeBytes }) => [address, sizeBytes]));
      for (const [index, address] of addresses.entries()) {
        assert.equal(sizeOf.get(address), sizes[index]);
      }
    },
  },
  {
    name: "goes on enumerating after any address, also one that is not there",
    async run(scope) {
      const bytes = Array.from({ length: 20 }, (_, index) => sampleBytes(4, index + 1));
      const held = await Promise.all(bytes.map((one) => scope.put(one)));
      held.push(await scope.put(sampleBytes(4), await sha256AddressOf(sampleBytes(4))));
      const absent = await Promise.all(bytes.map((one) => sha256AddressOf(one)));
      const edges = ["0", "f"].map((digit) => parseContentAddress(`blake3:${digit.repeat(64)}`));
      for (const after of [...held, ...absent, ...edges]) {
        const expected = held.filter((address) => address > after).toSorted();
        assert.deepEqual(await addressesFrom(scope, after), expected);
      }
    },
  },
  {
    name: "lets an enumeration be left early, and objects be removed during one",
    async run(scope) {
      const bytes = Array.from({ length: 10 }, (_, index) => sampleBytes(4, index + 1));
      await Promise.all(bytes.map((one) => scope.put(one)));
      for await (const { sizeBytes } of scope.backend.enumerate()) {
        assert.equal(sizeBytes, 4);
        break;
      }
      let seen = 0;
      for await (const { address } of scope.backend.enumerate()) {
        await scope.backend.remove(address);
        seen++;
      }
      assert.equal(seen, 10);
      assert.deepEqual(await addressesFrom(scope), []);
    },
  },
  {
    name: "is healthy, and counts its space if it can",
    async run(scope) {
      const health = await scope.backend.health();
      assert.equal(health.healthy, true, health.reason);
      assert.equal(health.reason, undefined);
      const { freeBytes, totalBytes } = health;
      if (freeBytes !== undefined) assert.ok(freeBytes >= 0);
      if (totalBytes !== undefined) assert.ok(totalBytes >= (freeBytes ?? 0));
    },
  },
  {
    name: "says what kind of place it is and what it can do",
    async run(scope) {
      assert.match(scope.backend.kind, /^\S.*$/);
      for (const value of Object.values(scope.backend.capabilities)) {
        assert.equal(typeof value, "boolean");
      }
    },
  },
  {
    name: "refuses to presign and to restore where its capabilities deny it",
    async run(scope) {
      const { backend } = scope;
      const address = await scope.put(sampleBytes(10));
      if (!backend.capabilities.presignedReads) {
        await assertRejects(backend.presign(address), "unsupported");
      }
      if (!backend.capabilities.restores) {
        await assertRejects(backend.restore(address, { days: 1 }), "unsupported");
      }
    },
  },
  {
    name: "refuses every verb after close, and closes twice",
    async run(scope) {
      const address = await addressOf(sampleBytes(10));
      const backend = scope.backend;
      await scope.closeBackend();
      await backend.close();
      await assertRejects(backend.stage({ lease: "late" }), "closed");
      await assertRejects(backend.resume("late"), "closed");
      await assertRejects(joined(backend.open(address)), "closed");
      await assertRejects(backend.stat(address), "closed");
      await assertRejects(backend.remove(address), "closed");
      await assertRejects(gathered(backend.enumerate()), "closed");
      await assertRejects(gathered(backend.listStaged()), "closed");
      await assertRejects(backend.discardStaged("late"), "closed");
      const health = await backend.health();
      assert.equal(health.healthy, false);
      assert.ok(health.reason);
    },
  },
];

async function addressesFrom(scope: Scope, after?: ContentAddress): Promise<ContentAddress[]> {
  return (await gathered(scope.backend.enumerate(after))).map(({ address }) => address);
}
