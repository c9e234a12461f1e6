import { isStoreError, StoreError, type StoreErrorCode } from "@store/identity";
import { replicateObject, type StorageBackend } from "@store/storage";

import { forEachAtOnce } from "./bounded.ts";
import { findSourceObjects, type SourceObject } from "./source-objects.ts";
import type { CopyProblem, CopySide } from "./types.ts";
import type { WantedCopy } from "./wanted-copies.ts";

/**
 * The name of the work in the target: its lock, and the lease of what it stages, so that the next copy
 * finds what a killed one left.
 */
export const copyName = "instance-copy";

/** What is the fault of one object or of one of its copies. */
const objectFaults: readonly StoreErrorCode[] = [
  "object_not_found",
  "object_corrupt",
  "digest_mismatch",
  "size_mismatch",
  "restore_required",
];
/** What may be the fault of one object, or of a whole backend. */
const backendFaults: readonly StoreErrorCode[] = ["storage_unavailable", "permission_denied"];

/** What stands in the target gives way. */
const replacing = { replace: async () => true } as const;

/** Objects looked up by one statement, and so held at once. */
const lookedUpAtOnce = 256;

export interface ObjectCopierOptions {
  readonly from: CopySide;
  readonly to: CopySide;
  readonly without: ReadonlySet<string>;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onCopied: (sizeBytes: number) => void;
}

/** Copies objects from role to role; each is held against both digests on its way. */
export class ObjectCopier {
  readonly #options: ObjectCopierOptions;

  constructor(options: ObjectCopierOptions) {
    this.#options = options;
  }

  /**
   * Makes the copies that are wanted and that the source still has; what it has removed since is
   * passed over. Gives those that could not be made. They are durable when it resolves.
   *
   * @throws {StoreError} where it is not for the object's sake, such as `storage_full`;
   *   `invalid_argument` where the target lacks a role
   */
  async copy(wanted: readonly WantedCopy[]): Promise<CopyProblem[]> {
    const problems: CopyProblem[] = [];
    const here = wanted.filter(({ backend }) => this.#isCopied(backend));
    for (let at = 0; at < here.length; at += lookedUpAtOnce) {
      const some = here.slice(at, at + lookedUpAtOnce);
      const known = await findSourceObjects(this.#options.from.database, some);
      const sizeOf = ({ address }: WantedCopy) => known.get(address)?.sizeBytes ?? 0;
      const bounds = { count: this.#options.concurrency, sizeOf };
      await forEachAtOnce(some, bounds, async (copy) => {
        const problem = await this.#copyOne(copy, known.get(copy.address));
        if (problem !== undefined) problems.push(problem);
      });
    }
    return problems;
  }

  /**
   * Puts a whole copy in the place of one that is missing or damaged. What is there is kept until
   * the source's bytes are staged and right, since both may be the same place.
   */
  async mend(wanted: WantedCopy): Promise<CopyProblem | undefined> {
    const known = await findSourceObjects(this.#options.from.database, [wanted]);
    return this.#copyOne(wanted, known.get(wanted.address), replacing);
  }

  #isCopied(backend: string): boolean {
    if (this.#options.without.has(backend)) return false;
    this.#target(backend);
    return true;
  }

  #target(backend: string): StorageBackend {
    const target = this.#options.to.backends[backend];
    if (target === undefined) throw roleMissing(backend);
    return target;
  }

  get #reading(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  async #copyOne(
    wanted: WantedCopy,
    known: SourceObject | undefined,
    how?: typeof replacing,
  ): Promise<CopyProblem | undefined> {
    const { address, backend } = wanted;
    // Moved to another role or removed since: later events say so.
    if (known === undefined || !known.copies.some((copy) => copy.backend === backend)) return;
    let failure: StoreError | undefined;
    for (const from of this.#sourcesOf(wanted, known)) {
      try {
        await this.#replicate(from, wanted, known, how);
        return;
      } catch (error) {
        failure ??= await this.#objectFault(error, [from, this.#target(backend)]);
      }
    }
    const { code, message } = failure ?? unreachable(wanted, known);
    return { address, backend, code, message };
  }

  async #replicate(
    from: StorageBackend,
    wanted: WantedCopy,
    known: SourceObject,
    how: typeof replacing | undefined,
  ): Promise<void> {
    const { address } = wanted;
    const { sha256, sizeBytes, retentionClass } = known;
    const target = this.#target(wanted.backend);
    const options = {
      ...this.#reading,
      lease: copyName,
      sha256,
      ...(retentionClass === undefined ? {} : { retentionClass }),
    };
    const replicate = (now: typeof how) =>
      replicateObject(from, target, address, { ...options, ...now });
    const receipt = await replicate(how).catch(async (error: unknown) => {
      const { expected } = isStoreError(error, "size_mismatch") ? error.context : {};
      // What stands in the target is no such object; the source's has the size that is recorded.
      if (expected !== sizeBytes) throw error;
      return await replicate(replacing);
    });
    if (!receipt.existed) this.#options.onCopied(receipt.sizeBytes);
  }

  /** Where the object can be read, the most promising place first. */
  #sourcesOf({ backend }: WantedCopy, { copies }: SourceObject): StorageBackend[] {
    const rank = (copy: SourceObject["copies"][number]): number =>
      (copy.status === "ok" ? 0 : 2) + (copy.backend === backend ? 0 : 1);
    return copies
      .toSorted((one, other) => rank(one) - rank(other))
      .flatMap((copy) => this.#options.from.backends[copy.backend] ?? []);
  }

  /** The error, if it is the object's; thrown if it is that of a backend, or any other. */
  async #objectFault(error: unknown, backends: readonly StorageBackend[]): Promise<StoreError> {
    if (!isStoreError(error)) throw error;
    if (objectFaults.includes(error.code)) return error;
    if (!backendFaults.includes(error.code)) throw error;
    const health = await Promise.all(backends.map((backend) => backend.health()));
    if (health.some((each) => !each.healthy)) throw error;
    return error;
  }
}

/** The refusal of a role that has copies and no place to go to. */
export function roleMissing(backend: string): StoreError {
  return new StoreError(
    "invalid_argument",
    `The source has objects at the backend "${backend}", and the target has none of that name. ` +
      "Configure one there, or leave its copies behind.",
    { context: { expected: backend } },
  );
}

function unreachable({ address }: WantedCopy, { copies }: SourceObject): StoreError {
  const places = copies.map(({ backend }) => `"${backend}"`).join(", ");
  return new StoreError(
    "storage_unavailable",
    `${address} is at ${places}, which the source does not have configured.`,
    { context: { reference: address } },
  );
}
