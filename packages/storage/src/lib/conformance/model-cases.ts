import assert from "node:assert/strict";
import type { ContentAddress } from "@store/identity";
import type { Staged } from "../contract.ts";
import {
  addressOf,
  assertSameBytes,
  type ConformanceCase,
  gathered,
  sampleBytes,
  type Scope,
} from "./scope.ts";

const STEPS = 300;

/** The contract as a whole, against a model of a dozen lines. */
export const modelCases: readonly ConformanceCase[] = [
  {
    name: "behaves as a map from address to bytes through 300 operations in any order",
    async run(scope) {
      const model = new Model(scope);
      const choices = sampleBytes(STEPS * 2, 42);
      for (let step = 0; step < STEPS; step++) {
        await model.step(choices[step * 2] ?? 0, choices[step * 2 + 1] ?? 0);
      }
      await model.compare();
    },
  },
];

class Model {
  readonly #scope: Scope;
  readonly #objects = new Map<ContentAddress, Uint8Array>();
  readonly #open: { staged: Staged; bytes: Uint8Array; written: number }[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  async step(choice: number, seed: number): Promise<void> {
    const steps = [
      () => this.#stage(seed),
      () => this.#write(seed),
      () => this.#write(seed),
      () => this.#commit(seed),
      () => this.#commit(seed),
      () => this.#abort(seed),
      () => this.#remove(seed),
      () => this.#read(seed),
    ];
    await steps[choice % steps.length]?.();
  }

  /** The objects of the backend, all of them and no others. */
  async compare(): Promise<void> {
    const listed = await gathered(this.#scope.backend.enumerate());
    const expected = [...this.#objects].map(([address, { length }]) => ({
      address,
      sizeBytes: length,
    }));
    assert.deepEqual(
      listed,
      expected.toSorted((one, other) => (one.address < other.address ? -1 : 1)),
    );
    for (const [address, bytes] of this.#objects) {
      assertSameBytes(await this.#scope.read(address), bytes);
    }
    const staged = await gathered(this.#scope.backend.listStaged());
    assert.equal(staged.length > 0, this.#open.length > 0);
  }

  /** Few different contents, so that the same address comes up often. */
  async #stage(seed: number): Promise<void> {
    const bytes = sampleBytes((seed % 24) * 999, seed % 24);
    this.#open.push({ staged: await this.#scope.stage(), bytes, written: 0 });
  }

  async #write(seed: number): Promise<void> {
    const one = this.#open[seed % Math.max(this.#open.length, 1)];
    if (one === undefined) return;
    const end = Math.min(one.written + seed * 50, one.bytes.length);
    await one.staged.write(one.bytes.subarray(one.written, end));
    one.written = end;
  }

  async #commit(seed: number): Promise<void> {
    const [one] = this.#open.splice(seed % Math.max(this.#open.length, 1), 1);
    if (one === undefined) return;
    await one.staged.write(one.bytes.subarray(one.written));
    const address = await addressOf(one.bytes);
    const receipt = await this.#scope.commit(one.staged, address);
    assert.equal(receipt.existed, this.#objects.has(address));
    this.#objects.set(address, one.bytes);
  }

  async #abort(seed: number): Promise<void> {
    const [one] = this.#open.splice(seed % Math.max(this.#open.length, 1), 1);
    await one?.staged.abort();
  }

  async #remove(seed: number): Promise<void> {
    const address = this.#pick(seed);
    if (address === undefined) return;
    await this.#scope.backend.remove(address);
    this.#objects.delete(address);
    assert.equal(await this.#scope.backend.stat(address), undefined);
  }

  async #read(seed: number): Promise<void> {
    const address = this.#pick(seed);
    const bytes = address === undefined ? undefined : this.#objects.get(address);
    if (address === undefined || bytes === undefined) return;
    const start = Math.min(seed * 10, bytes.length);
    assertSameBytes(await this.#scope.read(address, { start }), bytes.subarray(start));
  }

  #pick(seed: number): ContentAddress | undefined {
    const addresses = [...this.#objects.keys()];
    return addresses[seed % Math.max(addresses.length, 1)];
  }
}
