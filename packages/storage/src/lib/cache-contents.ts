import { type ContentAddress, createHasher, digestOf, type Hasher } from "@store/identity";
import type { Staged, StorageBackend } from "./contract.ts";

const LEASE = "cache";

/**
 * What a cache holds, the least recently used first, and what it is being filled with. Nothing
 * here throws: a cache that fails holds nothing.
 */
export class CacheContents {
  readonly #cache: StorageBackend;
  readonly #limitBytes: number;
  readonly #sizes = new Map<ContentAddress, number>();
  readonly #fills = new Map<ContentAddress, CacheFill>();
  #totalBytes = 0;
  #loading: Promise<boolean> | undefined;

  constructor(cache: StorageBackend, limitBytes: number) {
    this.#cache = cache;
    this.#limitBytes = limitBytes;
  }

  /** Whether the object can be read from the cache; it is then the most recently used. */
  async has(address: ContentAddress): Promise<boolean> {
    if (!(await this.#loaded())) return false;
    const sizeBytes = this.#sizes.get(address);
    if (sizeBytes === undefined) return false;
    this.#sizes.delete(address);
    this.#sizes.set(address, sizeBytes);
    return true;
  }

  /** Begins to fill the cache with an object, unless that is being done already. */
  async fill(address: ContentAddress): Promise<CacheFill | undefined> {
    if (this.#fills.has(address) || !(await this.#loaded())) return undefined;
    const hasher = await createHasher(digestOf(address).algorithm);
    if (this.#fills.has(address)) return undefined;
    const fill = new CacheFill(this.#cache, address, this.#limitBytes, hasher);
    this.#fills.set(address, fill);
    return fill;
  }

  /** Ends a fill: keeps the object if it is complete, and makes room for it. */
  async end(fill: CacheFill, complete: boolean): Promise<void> {
    const sizeBytes = complete ? await fill.commit() : await fill.discard();
    this.#fills.delete(fill.address);
    if (sizeBytes === undefined) return;
    if (fill.cancelled) return this.drop(fill.address);
    this.#add(fill.address, sizeBytes);
    for (const oldest of this.#sizes.keys()) {
      if (this.#totalBytes <= this.#limitBytes) break;
      await this.drop(oldest);
    }
  }

  /** Forgets an object, also one that the cache is being filled with. */
  async drop(address: ContentAddress): Promise<void> {
    const fill = this.#fills.get(address);
    if (fill !== undefined) fill.cancelled = true;
    this.#totalBytes -= this.#sizes.get(address) ?? 0;
    this.#sizes.delete(address);
    await this.#cache.remove(address).catch(() => undefined);
  }

  #add(address: ContentAddress, sizeBytes: number): void {
    this.#totalBytes += sizeBytes - (this.#sizes.get(address) ?? 0);
    this.#sizes.set(address, sizeBytes);
  }

  /** Whether it is known what the cache holds; where that fails, the next read looks again. */
  async #loaded(): Promise<boolean> {
    this.#loading ??= this.#load();
    const loaded = await this.#loading;
    if (!loaded) this.#loading = undefined;
    return loaded;
  }

  async #load(): Promise<boolean> {
    try {
      // The place is this process's own: what is staged there was left by one that died.
      for await (const { id } of this.#cache.listStaged()) await this.#cache.discardStaged(id);
      for await (const { address, sizeBytes } of this.#cache.enumerate()) {
        this.#add(address, sizeBytes);
      }
      return true;
    } catch {
      this.#sizes.clear();
      this.#totalBytes = 0;
      return false;
    }
  }
}

/** An object on its way into the cache. A failure ends the fill, never the read. */
export class CacheFill {
  readonly address: ContentAddress;
  /** Set when the object was removed meanwhile. */
  cancelled = false;
  readonly #cache: StorageBackend;
  readonly #limitBytes: number;
  readonly #hasher: Hasher;
  #staged: Staged | undefined;
  #failed = false;

  constructor(cache: StorageBackend, address: ContentAddress, limitBytes: number, hasher: Hasher) {
    this.#cache = cache;
    this.address = address;
    this.#limitBytes = limitBytes;
    this.#hasher = hasher;
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.#failed) return;
    try {
      this.#staged ??= await this.#cache.stage({ lease: LEASE });
      if (this.#staged.sizeBytes + chunk.length > this.#limitBytes) return await this.#giveUp();
      await this.#staged.write(chunk);
      this.#hasher.update(chunk);
    } catch {
      await this.#giveUp();
    }
  }

  /** Keeps the object if it is what its address says; its size then, undefined if not. */
  async commit(): Promise<number | undefined> {
    const intact = !this.#failed && this.#hasher.digest().equals(digestOf(this.address));
    if (!intact || this.#staged === undefined) return this.discard();
    try {
      return (await this.#staged.commit(this.address)).sizeBytes;
    } catch {
      return this.discard();
    }
  }

  async discard(): Promise<undefined> {
    await this.#giveUp();
    return undefined;
  }

  async #giveUp(): Promise<void> {
    this.#failed = true;
    await this.#staged?.abort().catch(() => undefined);
  }
}
