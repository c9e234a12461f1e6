import {
  type ContentAddress,
  isStoreError,
  StoreError,
  type StoreErrorCode,
} from "@store/identity";
import type {
  BackendHealth,
  ObjectReader,
  ObjectRetrieval,
  ObjectStat,
  PresignOptions,
  ReadOptions,
  RestoreOptions,
  Staged,
  StagedStat,
  StageOptions,
  StorageBackend,
  StorageCapabilities,
} from "./contract.ts";
import { joinedRead } from "./joined-read.ts";
import { mergedByAddress } from "./merge.ts";
import { notRestored } from "./unsupported.ts";
import { formatMirroredId, MirroredStaged, parseMirroredId } from "./mirrored-staged.ts";

/**
 * One backend made of several that hold the same. Writes and removals go to all of them at once
 * and succeed when all have; if one fails the call fails, though the others may have done it:
 * repeating it brings them together. Reads take the first that has the object, and go on with the
 * next where one fails, lacks it or turns out corrupt before anything was delivered; of a whole
 * read the joined bytes are hashed. An object that one alone has is there, in `stat` and
 * `enumerate` too; only a place that answers can say that it is not: if none has it and one
 * failed, that failure is thrown. An enumeration needs all. Healthy means that all are.
 */
export function mirrorBackends(backends: readonly StorageBackend[]): StorageBackend {
  const [first, ...others] = backends;
  if (first === undefined) {
    throw new StoreError("invalid_argument", "A mirror needs at least one backend; give two.");
  }
  return new MirrorBackend(first, others);
}

/** Failures of one place after which another may still have the object. */
const passable = new Set<StoreErrorCode>([
  "object_not_found",
  "object_corrupt",
  "restore_required",
  "invalid_range",
  "storage_unavailable",
  "permission_denied",
]);

class MirrorBackend implements StorageBackend {
  readonly kind: string;
  readonly capabilities: StorageCapabilities;
  readonly #first: StorageBackend;
  readonly #backends: readonly StorageBackend[];

  constructor(first: StorageBackend, others: readonly StorageBackend[]) {
    this.#first = first;
    this.#backends = [first, ...others];
    const all = (what: keyof StorageCapabilities): boolean =>
      this.#backends.every(({ capabilities }) => capabilities[what]);
    this.kind = `mirror of ${this.#backends.map(({ kind }) => kind).join(", ")}`;
    this.capabilities = {
      durable: all("durable"),
      resumableAcrossProcesses: all("resumableAcrossProcesses"),
      presignedReads: this.#first.capabilities.presignedReads,
      restores: this.#backends.some(({ capabilities }) => capabilities.restores),
    };
  }

  async stage(options: StageOptions): Promise<Staged> {
    return this.#joinStaged(
      this.#backends.map((backend) => backend.stage(options)),
      true,
    );
  }

  async resume(id: string): Promise<Staged> {
    const ids = parseMirroredId(id, this.#backends.length);
    const whole = ids.size === this.#backends.length;
    // An id that lacks a part is none: every backend is asked, so that one that is closed says so.
    const parts = this.#backends.map((backend, index) =>
      backend.resume(whole ? (ids.get(index) ?? "") : ""),
    );
    return this.#joinStaged(parts, false);
  }

  open(address: ContentAddress, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const rest = this.#backends.slice(1);
    const failures = new Failures();
    return joinedRead(address, options, this.#first, async (failure): Promise<ObjectReader> => {
      failures.add(failure);
      const reader = rest.shift();
      if (reader === undefined) throw failures.gravest ?? failure;
      return reader;
    });
  }

  async stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    const failures = new Failures();
    for (const backend of this.#backends) {
      try {
        const stat = await backend.stat(address);
        if (stat !== undefined) return stat;
      } catch (failure) {
        failures.add(failure);
      }
    }
    if (failures.gravest !== undefined) throw failures.gravest;
    return undefined;
  }

  async remove(address: ContentAddress): Promise<void> {
    await allOf(this.#backends.map((backend) => backend.remove(address)));
  }

  enumerate(after?: ContentAddress): AsyncIterable<ObjectStat> {
    return mergedByAddress(this.#backends.map((backend) => backend.enumerate(after)));
  }

  /** Of the first: the others are for when it fails. */
  presign(address: ContentAddress, options?: PresignOptions): Promise<string> {
    return this.#first.presign(address, options);
  }

  /** Asks all that have an archive, and says the best of their answers. */
  async restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval> {
    const archives = this.#backends.filter(({ capabilities }) => capabilities.restores);
    if (archives.length === 0) throw notRestored(this.kind, address);
    const answers = await allOf(archives.map((backend) => backend.restore(address, options)));
    const readable = answers.find(({ tier, restore }) => tier === "hot" || restore === "restored");
    return readable ?? answers[0] ?? { tier: "hot", restore: "none" };
  }

  /** Each part by itself: after a crash nothing says which parts belong together. */
  async *listStaged(): AsyncGenerator<StagedStat> {
    for (const [index, backend] of this.#backends.entries()) {
      for await (const staged of backend.listStaged()) {
        yield { ...staged, id: formatMirroredId(new Map([[index, staged.id]])) };
      }
    }
  }

  async discardStaged(id: string): Promise<void> {
    const ids = parseMirroredId(id, this.#backends.length);
    const discarding = this.#backends.map(async (backend, index) => {
      await backend.discardStaged(ids.get(index) ?? "");
    });
    await allOf(discarding);
  }

  async health(): Promise<BackendHealth> {
    const all = await Promise.all(this.#backends.map((backend) => backend.health()));
    const reasons = all.flatMap(({ healthy, reason }, index) =>
      healthy ? [] : [`${this.#backends[index]?.kind}: ${reason ?? "not healthy"}`],
    );
    const freeBytes = smallest(all.map((health) => health.freeBytes));
    const totalBytes = smallest(all.map((health) => health.totalBytes));
    return {
      healthy: reasons.length === 0,
      ...(reasons.length === 0 ? {} : { reason: reasons.join("; ") }),
      ...(freeBytes === undefined ? {} : { freeBytes }),
      ...(totalBytes === undefined ? {} : { totalBytes }),
    };
  }

  async close(): Promise<void> {
    await allOf(this.#backends.map((backend) => backend.close()));
  }

  async #joinStaged(parts: readonly Promise<Staged>[], discard: boolean): Promise<Staged> {
    try {
      return new MirroredStaged(await allOf(parts));
    } catch (failure) {
      if (discard) {
        const discarding = parts.map(async (part) => (await part).abort());
        await Promise.allSettled(discarding);
      }
      throw failure;
    }
  }
}

/** What went wrong in several places, of which one is to be told. */
class Failures {
  #gravest: StoreError | undefined;

  /** Absence is the mildest: another failure means that nobody knows. */
  get gravest(): StoreError | undefined {
    return this.#gravest;
  }

  /** Throws at once what no other place can mend. */
  add(failure: unknown): void {
    if (!isStoreError(failure) || !passable.has(failure.code)) throw failure;
    if (this.#gravest === undefined || isStoreError(this.#gravest, "object_not_found")) {
      this.#gravest = failure;
    }
  }
}

/** Waits for all, then throws the first failure in their order if there is one. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
