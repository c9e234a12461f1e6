import {
  type ContentAddress,
  isStoreError,
  StoreError,
  type StoreErrorCode,
} from "@store/identity";
import type { ObjectInspector, ObjectReader } from "./contract.ts";
import { objectNotFound, readableStat, restoreRequired } from "./serve.ts";

/** A place that is said to hold an object. */
export interface StoredCopy {
  /** The name by which it is reported. */
  readonly name: string;
  readonly reader: ObjectReader & ObjectInspector;
}

/** Is told what is found out about copies. Must not throw. */
export interface CopyObserver {
  /** All bytes that were asked for came from it; a whole read of them had the right digest. */
  onRead?(copy: string, isWhole: boolean): void;
  /** It cannot be read, or not whole. */
  onFailure?(copy: string, failure: StoreError): void;
}

/**
 * Failures of one place after which another may still have the object, from the one that says most
 * to the one that says least: while a place does not answer, nobody knows.
 */
const passable: readonly StoreErrorCode[] = [
  "storage_unavailable",
  "permission_denied",
  "restore_required",
  "object_corrupt",
  "object_not_found",
];

/** The copies of one object that are still to be tried, and what the others failed with. */
export class Candidates {
  readonly #address: ContentAddress;
  readonly #sizeBytes: number;
  readonly #rest: StoredCopy[];
  readonly #observer: CopyObserver;
  readonly #failures = new Map<string, StoreError>();
  readonly #archived: StoredCopy[] = [];

  constructor(
    address: ContentAddress,
    copies: readonly StoredCopy[],
    sizeBytes: number,
    observer: CopyObserver,
  ) {
    this.#address = address;
    this.#sizeBytes = sizeBytes;
    this.#rest = [...copies];
    this.#observer = observer;
  }

  /** The next copy that is there, with its size; throws the gravest failure where none is left. */
  async next(): Promise<StoredCopy> {
    for (let copy = this.#rest.shift(); copy !== undefined; copy = this.#rest.shift()) {
      try {
        readableStat(this.#address, await copy.reader.stat(this.#address), this.#sizeBytes);
        return copy;
      } catch (failure) {
        this.failed(copy, failure);
      }
    }
    throw await this.#gravest();
  }

  /** Throws at once what no other place can mend. */
  failed(copy: StoredCopy, thrown: unknown): void {
    // The range lies within the recorded size, so that it is the copy that is too short.
    const failure = isStoreError(thrown, "invalid_range")
      ? new StoreError("object_corrupt", thrown.message, { cause: thrown })
      : thrown;
    if (!isStoreError(failure) || !passable.includes(failure.code)) throw failure;
    this.#failures.set(copy.name, failure);
    if (failure.code === "restore_required") this.#archived.push(copy);
    this.#observer.onFailure?.(copy.name, failure);
  }

  read(copy: StoredCopy): void {
    this.#observer.onRead?.(copy.name, false);
  }

  whole(copy: StoredCopy): void {
    this.#observer.onRead?.(copy.name, true);
  }

  async #gravest(): Promise<StoreError> {
    const failures = [...this.#failures.values()];
    const code = passable.find((each) => failures.some((failure) => failure.code === each));
    const first = failures.find((failure) => failure.code === code);
    if (first === undefined || code === "object_not_found") return objectNotFound(this.#address);
    if (code === "restore_required") {
      return restoreRequired(this.#address, await this.#isAskedFor());
    }
    if (failures.length === 1 || code === undefined) return first;
    const each = [...this.#failures].map(([name, failure]) => `${name}: ${failure.code}`);
    return new StoreError(
      code,
      `No copy of the object ${this.#address} can be read whole: ${each.join(", ")}.`,
      { cause: first, context: { reference: this.#address } },
    );
  }

  /** Whether a copy is on its way from its archive; a refused read does not say so. */
  async #isAskedFor(): Promise<boolean> {
    const stats = this.#archived.map(({ reader }) => reader.stat(this.#address));
    const settled = await Promise.allSettled(stats);
    return settled.some(
      (each) => each.status === "fulfilled" && each.value?.retrieval?.restore === "requested",
    );
  }
}
