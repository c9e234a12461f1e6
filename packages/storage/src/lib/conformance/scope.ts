import assert from "node:assert/strict";
import {
  type ContentAddress,
  contentAddress,
  digestBytes,
  isStoreError,
  type StoreErrorCode,
} from "@store/identity";
import type { ByteRange, Staged, StageOptions, StorageBackend } from "../contract.ts";

/** A place for objects that a case has for itself. */
export interface ConformancePlace {
  /** Opened on the place, which holds nothing yet. */
  readonly backend: StorageBackend;
  /** Opens another backend on the same place, as another process would. */
  readonly openAnother?: () => Promise<StorageBackend>;
  /**
   * Names what is in the place besides its fixed furniture, `enumerate` and `listStaged` apart:
   * temporary files, unfinished uploads. Asked when a case has removed all it made.
   */
  readonly leftovers?: () => Promise<readonly string[]>;
  /** Frees the place with all that is in it. The suite has closed the backends before. */
  readonly dispose: () => Promise<void>;
}

/** One rule of the contract, as a test. */
export interface ConformanceCase {
  /** The rule, as a sentence without a subject: the backend is it. */
  readonly name: string;
  run(scope: Scope): Promise<void>;
}

/** What a case works with. It knows what the case made, so that the suite can remove it. */
export class Scope {
  readonly backend: StorageBackend;
  readonly #place: ConformancePlace;
  readonly #staged = new Set<Staged>();
  readonly #committed = new Set<ContentAddress>();
  readonly #others: StorageBackend[] = [];
  #closed = false;

  constructor(place: ConformancePlace) {
    this.backend = place.backend;
    this.#place = place;
  }

  async stage(options: Partial<StageOptions> = {}, backend = this.backend): Promise<Staged> {
    return this.track(await backend.stage({ lease: "conformance", ...options }));
  }

  /** Stages `bytes` in one write. */
  async stageBytes(bytes: Uint8Array, options: Partial<StageOptions> = {}): Promise<Staged> {
    const staged = await this.stage(options);
    await staged.write(bytes);
    return staged;
  }

  async put(bytes: Uint8Array, address?: ContentAddress): Promise<ContentAddress> {
    const target = address ?? (await addressOf(bytes));
    const staged = await this.stageBytes(bytes);
    await this.commit(staged, target);
    return target;
  }

  async commit(staged: Staged, address: ContentAddress) {
    this.#committed.add(address);
    const receipt = await staged.commit(address);
    assert.equal(receipt.address, address);
    return receipt;
  }

  async read(address: ContentAddress, range?: ByteRange): Promise<Uint8Array> {
    return joined(this.backend.open(address, range === undefined ? {} : { range }));
  }

  track(staged: Staged): Staged {
    this.#staged.add(staged);
    return staged;
  }

  /** Another backend on the same place. */
  async openAnother(): Promise<StorageBackend> {
    assert.ok(
      this.#place.openAnother,
      "This case needs openAnother; give it, or skip the case with the reason.",
    );
    const other = await this.#place.openAnother();
    this.#others.push(other);
    return other;
  }

  /** Closes the backend; what it left is then looked for by another, where there can be one. */
  async closeBackend(): Promise<void> {
    this.#closed = true;
    await this.backend.close();
  }

  /** Removes what the case made, and fails if anything else is left. */
  async finish(): Promise<void> {
    const witness = await this.#witness();
    if (witness !== undefined) {
      for (const staged of this.#staged) await staged.abort();
      for (const address of this.#committed) await witness.remove(address);
      const objects = await gathered(witness.enumerate());
      assert.deepEqual(objects, [], "the case left objects behind");
      const staged = await gathered(witness.listStaged());
      assert.deepEqual(staged, [], "the case left staged bytes behind");
    }
    const leftovers = await this.#place.leftovers?.();
    assert.deepEqual(leftovers ?? [], [], "the case left other things behind");
  }

  async #witness(): Promise<StorageBackend | undefined> {
    if (!this.#closed) return this.backend;
    return this.#place.openAnother === undefined ? undefined : this.openAnother();
  }

  async close(): Promise<void> {
    for (const backend of [this.backend, ...this.#others]) await backend.close();
    await this.#place.dispose();
  }
}

/** Bytes that look random and are the same in every run. */
export function sampleBytes(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export async function addressOf(bytes: Uint8Array): Promise<ContentAddress> {
  return contentAddress((await digestBytes(bytes)).primary);
}

/** The address of `bytes` by the other algorithm of the registry. */
export async function sha256AddressOf(bytes: Uint8Array): Promise<ContentAddress> {
  return contentAddress((await digestBytes(bytes)).sha256);
}

export async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const list = await gathered(chunks);
  const bytes = new Uint8Array(list.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of list) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Compares without printing megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what = "bytes"): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  const differs = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(differs, -1, `${what}: the first byte that differs is at ${differs}`);
}

export async function assertRejects(
  work: Promise<unknown>,
  ...codes: readonly StoreErrorCode[]
): Promise<void> {
  const wanted = codes.join(" or ");
  const outcome = await work.then(
    () => ({ resolved: true, error: undefined }),
    (error: unknown) => ({ resolved: false, error }),
  );
  assert.ok(!outcome.resolved, `expected ${wanted}, but the call succeeded`);
  const { error } = outcome;
  assert.ok(isStoreError(error), `expected a StoreError ${wanted}, got ${String(error)}`);
  assert.ok(codes.includes(error.code), `expected ${wanted}, got ${error.code}: ${error.message}`);
}
