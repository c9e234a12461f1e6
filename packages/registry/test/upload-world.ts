import assert from "node:assert/strict";

import { isStoreError } from "@store/identity";
import type { Registry, UploadInfo } from "@store/registry";
import fc from "fast-check";

import { codeOf, collect, leaseKinds, type TestInstance } from "./instance.ts";
import { addressOf, chunked, newPackage, patterned, sha256Of } from "./uploads.ts";

/** Random steps of uploads, held against what must be true of each. */

const hour = 60 * 60 * 1000;
export const lockMs = 1_000;
const contents = [0, 1, 70_000, 1_048_577, 2_300_000].map((size, seed) => patterned(size, seed));

/** What an upload must be: a prefix of its content that never becomes shorter. */
interface Expected {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** Whether its claim is false, so that it ends when it is whole. */
  readonly isFalse: boolean;
  isSized: boolean;
  durable: number;
  state: "open" | "complete" | "ended";
}

/** Uploads and the processes that work on them, of which one is not dead. */
export class World {
  readonly instance: TestInstance;
  readonly uploads: Expected[] = [];
  /** Lets the sources of dead processes go on, with bytes that nobody may keep. */
  readonly ghosts: (() => void)[] = [];
  readonly outcomes: Promise<unknown>[] = [];
  registry: Registry;

  constructor(instance: TestInstance) {
    this.instance = instance;
    this.registry = instance.registry;
  }

  pick(index: number): Expected | undefined {
    return this.uploads[index % Math.max(this.uploads.length, 1)];
  }

  /** Takes over what the registry says, and holds it to what must be true. */
  see(upload: Expected, info: UploadInfo, least = upload.durable): void {
    assert.ok(info.offsetBytes >= least, `${info.offsetBytes} bytes, and ${least} were durable`);
    assert.ok(info.offsetBytes <= upload.bytes.length, "more bytes than were sent");
    upload.durable = info.offsetBytes;
    if (info.status === "complete") upload.state = "complete";
  }

  /** Looks what became of an upload; it is gone only if it was wrong. */
  async look(upload: Expected, settled: boolean): Promise<void> {
    try {
      const info = await this.registry.getUpload(upload.id, { settled });
      assert.notEqual(upload.state, "ended");
      this.see(upload, info);
      if (info.status !== "complete") return;
      assert.ok(!upload.isFalse, "it was not what was claimed");
      assert.equal(info.address, await addressOf(upload.bytes));
      assert.equal(info.sha256, sha256Of(upload.bytes));
    } catch (error) {
      if (!isStoreError(error)) throw error;
      const isWrong = upload.isFalse && error.code === "digest_mismatch";
      const isGone = upload.state === "ended" && error.code === "upload_not_found";
      assert.ok(isWrong || isGone, error.message);
      upload.state = "ended";
    }
  }
}

export type Step = (world: World) => Promise<void>;

const index = fc.nat(1_000);
const part = fc.double({ min: 0, max: 1, noNaN: true });

const create = fc
  .record({ content: fc.nat(contents.length - 1), isSized: fc.boolean(), claim: fc.nat(5) })
  .map(({ content, isSized, claim }): Step => async (world) => {
    const bytes = contents[content] ?? new Uint8Array(0);
    const isFalse = claim === 0 && bytes.length > 0;
    const { id, status } = await world.registry.createUpload({
      ...(isSized ? { sizeBytes: bytes.length } : {}),
      ...(claim > 3 || isFalse
        ? { expect: { address: await addressOf(isFalse ? patterned(5, 99) : bytes) } }
        : {}),
    });
    const state = status === "complete" ? "complete" : "open";
    world.uploads.push({ id, bytes, isFalse, isSized, durable: 0, state });
  });

/** Sends a part of what is missing, to the end of the source or not. */
const append = fc.record({ index, part, isCut: fc.boolean() }).map((at): Step => async (world) => {
  const upload = world.pick(at.index);
  if (upload?.state !== "open") return;
  await world.look(upload, true);
  if (upload.state !== "open") return;
  const from = upload.durable;
  const to = from + Math.ceil(at.part * (upload.bytes.length - from));
  const failure = new Error("connection lost");
  const source = chunked(upload.bytes.subarray(from, to), at.isCut ? failure : undefined);
  try {
    world.see(upload, await world.registry.appendUpload(upload.id, from, source), to);
    assert.ok(!at.isCut, "its source had failed");
  } catch (error) {
    if (error === failure) upload.durable = to;
    else if (isStoreError(error, "digest_mismatch") && upload.isFalse) upload.state = "ended";
    else throw error;
  }
  await world.look(upload, false);
});

const appendElsewhere = fc
  .record({ index, by: fc.integer({ min: 1, max: 9 }) })
  .map((at): Step => async (world) => {
    const upload = world.pick(at.index);
    if (upload?.state !== "open") return;
    await world.look(upload, true);
    if (upload.state !== "open") return;
    for (const offset of [upload.durable + at.by, Math.max(upload.durable - at.by, 0)]) {
      if (offset === upload.durable) continue;
      const refused = world.registry.appendUpload(upload.id, offset, chunked(patterned(10, 77)));
      assert.equal(await codeOf(refused), "upload_conflict");
    }
    await world.look(upload, false);
  });

/** Several send at once, from where the upload stands or not. */
const race = fc
  .record({ index, parts: fc.array(part, { minLength: 2, maxLength: 4 }) })
  .map((at): Step => async (world) => {
    const upload = world.pick(at.index);
    if (upload?.state !== "open") return;
    await world.look(upload, true);
    const from = upload.durable;
    const senders = at.parts.map((each) => {
      const to = from + Math.ceil(each * (upload.bytes.length - from));
      return world.registry.appendUpload(upload.id, from, chunked(upload.bytes.subarray(from, to)));
    });
    for (const outcome of await Promise.allSettled(senders)) {
      if (outcome.status === "fulfilled") continue;
      const allowed = ["upload_conflict", "upload_locked", "upload_not_found", "digest_mismatch"];
      const code = isStoreError(outcome.reason) ? outcome.reason.code : String(outcome.reason);
      assert.ok(allowed.includes(code), code);
    }
    const gone = await codeOf(world.registry.getUpload(upload.id));
    if (gone === "upload_not_found" && upload.isFalse) upload.state = "ended";
    await world.look(upload, false);
  });

/** The process dies while it receives. Another takes its place; the dead one moves once more. */
const crash = fc.record({ index, part }).map((at): Step => async (world) => {
  const { instance, registry } = world;
  const upload = world.pick(at.index);
  if (upload?.state === "open") {
    await world.look(upload, true);
    const from = upload.durable;
    const sent = Math.ceil(at.part * (upload.bytes.length - from));
    const gate = Promise.withResolvers<void>();
    const { promise: given, resolve } = Promise.withResolvers<void>();
    async function* dying(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      yield* chunked(bytes);
      resolve();
      await gate.promise;
      yield patterned(200_000, 13);
    }
    const source = dying(upload.bytes.subarray(from, from + sent));
    const appending = registry.appendUpload(upload.id, from, source);
    world.outcomes.push(appending.catch(() => undefined).finally(() => resolve()));
    world.ghosts.push(() => gate.resolve());
    await given;
  }
  world.registry = await instance.again({ uploadLockMs: lockMs });
  // The dead hold their locks no longer.
  instance.advance(lockMs + 1);
});

const size = index.map((at): Step => async (world) => {
  const upload = world.pick(at);
  if (upload?.state !== "open" || upload.isSized) return;
  upload.isSized = true;
  try {
    world.see(upload, await world.registry.setUploadSize(upload.id, upload.bytes.length));
  } catch (error) {
    if (!isStoreError(error, "digest_mismatch") || !upload.isFalse) throw error;
    upload.state = "ended";
  }
  await world.look(upload, false);
});

const cancel = index.map((at): Step => async (world) => {
  const upload = world.pick(at);
  if (upload === undefined) return;
  await world.registry.cancelUpload(upload.id);
  await world.registry.cancelUpload(upload.id);
  upload.state = "ended";
  await world.look(upload, false);
});

const expire = fc.boolean().map((isSwept): Step => async (world) => {
  world.instance.advance(25 * hour);
  if (isSwept) await world.registry.sweep();
  for (const upload of world.uploads) {
    upload.state = "ended";
    await world.look(upload, false);
  }
});

const repeat = index.map((at): Step => async (world) => {
  const upload = world.pick(at);
  if (upload?.state !== "complete") return;
  const { length } = upload.bytes;
  const nothing = chunked(new Uint8Array(0));
  world.see(upload, await world.registry.appendUpload(upload.id, length, nothing), length);
  await world.registry.sweep();
  await world.look(upload, true);
});

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: create },
  { weight: 8, arbitrary: append },
  { weight: 2, arbitrary: appendElsewhere },
  { weight: 3, arbitrary: race },
  { weight: 3, arbitrary: crash },
  { weight: 2, arbitrary: size },
  { weight: 1, arbitrary: cancel },
  { weight: 1, arbitrary: expire },
  { weight: 2, arbitrary: repeat },
);

/** Finishes what can be finished, and looks that every object is what was sent. */
export async function finish(world: World): Promise<void> {
  // The dead move once more when others have their place: not one byte of theirs may be kept.
  for (const upload of world.uploads) await world.look(upload, true);
  for (const move of world.ghosts) move();
  await Promise.all(world.outcomes);
  const { registry, instance } = world;
  const packageId = await newPackage(registry);
  for (const upload of world.uploads) {
    await world.look(upload, true);
    if (upload.state === "open" && !upload.isSized && !upload.isFalse) {
      await registry.setUploadSize(upload.id, upload.bytes.length);
      upload.isSized = true;
    }
    if (upload.state === "open" && upload.isSized && !upload.isFalse) {
      const rest = chunked(upload.bytes.subarray(upload.durable));
      world.see(upload, await registry.appendUpload(upload.id, upload.durable, rest));
    }
    if (upload.state !== "complete") continue;
    await registry.addFile(packageId, upload.id, { upload: upload.id });
    const { body } = await registry.getFile(packageId, upload.id);
    assert.equal(Buffer.compare(await collect(body), upload.bytes), 0);
  }
  await registry.finalizePackage(packageId);
  assert.deepEqual((await registry.verifyPackage(packageId)).problems, []);
  instance.advance(25 * hour);
  await registry.sweep();
  assert.deepEqual(await Array.fromAsync(instance.storage.listStaged()), []);
  assert.deepEqual(await leaseKinds(instance.database), []);
  const rows = await instance.database.reader
    .select()
    .from(instance.database.tables.uploadSessions);
  assert.deepEqual(rows, []);
}
