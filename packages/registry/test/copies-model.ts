import assert from "node:assert/strict";

import { isStoreError, type ContentAddress } from "@store/identity";
import { verifyObject } from "@store/storage";
import fc from "fast-check";

import {
  addressesAt,
  corrupt,
  differences,
  finish,
  store,
  truncate,
  type CopiesWorld,
} from "./copies.ts";
import { collect } from "./instance.ts";

const names = ["primary", "second", "third"] as const;
type Name = (typeof names)[number];

const backend = fc.constantFrom(...names);
const other = fc.constantFrom("second" as const, "third" as const);
const which = fc.nat({ max: 30 });

/** Something that happens to an instance with three backends, or that is asked of it. */
export const deed = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), content: fc.string({ maxLength: 5 }) }),
  fc.record({
    kind: fc.constantFrom("corrupt" as const, "truncate" as const, "lose" as const),
    at: backend,
    which,
  }),
  fc.record({ kind: fc.constant("replicate" as const), to: backend }),
  fc.record({ kind: fc.constant("verify" as const), at: fc.option(backend) }),
  fc.record({ kind: fc.constant("evacuate" as const), from: other, to: backend }),
  fc.record({ kind: fc.constant("read" as const), which }),
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

/** An instance, what was put into it, and how many deeds it saw. */
export class CopiesModel {
  readonly #world: CopiesWorld;
  readonly #contents = new Map<ContentAddress, string>();
  #version = 0;

  constructor(world: CopiesWorld) {
    this.#world = world;
  }

  async run(each: Deed): Promise<void> {
    switch (each.kind) {
      case "add":
        return this.#add(each.content);
      case "read":
        return this.#read(this.#pick(each.which));
      case "corrupt":
      case "truncate":
      case "lose":
        return this.#damage(each.kind, each.at, this.#pick(each.which));
      case "replicate":
        return this.#losingNothing(() => this.#replicate(each.to));
      case "verify":
        return this.#losingNothing(() => this.#verify(each.at ?? undefined));
      case "evacuate":
        return this.#losingNothing(() => this.#evacuate(each.from, each.to));
    }
  }

  /** In the end everything that is left of anything is whole everywhere, and the views are right. */
  async settle(): Promise<void> {
    const { registry } = this.#world;
    await this.#verify(undefined);
    const kept = await this.#kept();
    for (const to of names) {
      await this.#replicate(to);
      for (const address of kept) assert.equal(await this.#isWhole(to, address), true);
    }
    for (const address of this.#contents.keys()) await this.#read(address);
    assert.deepEqual(await differences(registry), []);
  }

  #pick(index: number): ContentAddress | undefined {
    const addresses = [...this.#contents.keys()];
    return addresses[index % Math.max(addresses.length, 1)];
  }

  async #add(content: string): Promise<void> {
    this.#version += 1;
    const [address] = await store(this.#world.registry, `${this.#version}.0.0`, [content]);
    if (address !== undefined) this.#contents.set(address, content);
  }

  async #damage(
    kind: "corrupt" | "truncate" | "lose",
    at: Name,
    address: ContentAddress | undefined,
  ): Promise<void> {
    const place = this.#world.backends[at];
    if (address === undefined || (await place.stat(address)) === undefined) return;
    const isEmpty = this.#contents.get(address) === "";
    if (kind === "lose" || isEmpty) await place.remove(address);
    else if ((await place.stat(address))?.sizeBytes === 0) await place.remove(address);
    else await (kind === "corrupt" ? corrupt : truncate)(place, address);
  }

  /** Right bytes where some copy has them, else a clear error. */
  async #read(address: ContentAddress | undefined): Promise<void> {
    if (address === undefined) return;
    const isKept = (await this.#kept()).has(address);
    try {
      const { body } = await this.#world.registry.openObject(address);
      assert.equal((await collect(body)).toString(), this.#contents.get(address));
    } catch (error) {
      if (!isStoreError(error)) throw error;
      assert.ok(["object_corrupt", "object_not_found"].includes(error.code), error.code);
      assert.equal(isKept, false);
    }
  }

  async #replicate(to: Name): Promise<void> {
    const { registry } = this.#world;
    const trusted = await this.#standingAt(to, "ok");
    const kept = await this.#kept();
    const { problems } = await finish(registry.replicateObjects({ to }));
    const failed = new Set(problems.map(({ address }) => address));
    for (const address of this.#contents.keys()) {
      // What is thought to be whole is not looked at; all else is whole then, if anything is.
      if (trusted.has(address)) continue;
      assert.equal(await this.#isWhole(to, address), kept.has(address));
      assert.equal(failed.has(address), !kept.has(address));
    }
  }

  async #verify(at: Name | undefined): Promise<void> {
    const { registry } = this.#world;
    const walk = registry.verifyObjects(at === undefined ? {} : { backend: at });
    const { problems } = await finish(walk);
    const wrong = new Set(problems.map((problem) => `${problem.backend} ${problem.address}`));
    for (const name of at === undefined ? names : [at]) {
      const standing = await this.#standingAt(name, undefined);
      for (const [address, status] of standing) {
        const { status: truth } = await verifyObject(this.#world.backends[name], address);
        assert.equal(status, truth);
        assert.equal(wrong.has(`${name} ${address}`), truth !== "ok");
      }
    }
  }

  async #evacuate(from: Name, to: Name): Promise<void> {
    if (from === to) return;
    const { registry, backends } = this.#world;
    const { problems } = await finish(registry.evacuateObjects({ from, to }));
    const left = new Set(problems.map(({ address }) => address));
    assert.deepEqual(new Set((await this.#standingAt(from, undefined)).keys()), left);
    for (const address of await addressesAt(backends[from])) {
      assert.equal(left.has(address), true);
    }
    // Only what nobody has whole stays.
    const kept = await this.#kept();
    for (const address of left) assert.equal(kept.has(address), false);
  }

  async #losingNothing(work: () => Promise<void>): Promise<void> {
    const before = await this.#kept();
    await work();
    assert.deepEqual(before.difference(await this.#kept()), new Set());
  }

  /** The objects of which some known copy is whole. */
  async #kept(): Promise<Set<ContentAddress>> {
    const kept = new Set<ContentAddress>();
    for (const name of names) {
      for (const address of (await this.#standingAt(name, undefined)).keys()) {
        if (await this.#isWhole(name, address)) kept.add(address);
      }
    }
    return kept;
  }

  async #isWhole(name: Name, address: ContentAddress): Promise<boolean> {
    return (await verifyObject(this.#world.backends[name], address)).status === "ok";
  }

  /** What the instance knows at a backend, with its status. */
  async #standingAt(name: Name, only: "ok" | undefined): Promise<Map<ContentAddress, string>> {
    const standing = new Map<ContentAddress, string>();
    for (const address of this.#contents.keys()) {
      const { copies } = await this.#world.registry.locateObject(address);
      const copy = copies.find((each) => each.backend === name);
      if (copy !== undefined && copy.status === (only ?? copy.status)) {
        standing.set(address, copy.status);
      }
    }
    return standing;
  }
}
