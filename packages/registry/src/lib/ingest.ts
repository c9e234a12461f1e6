import { contentAddress, digestOf, type DualDigest } from "@store/identity";
import { ingestStream, type Expectation, type StorageReceipt } from "@store/storage";

import {
  addFile,
  addFileAt,
  findPlace,
  type FilePlacement,
  type StoredObject,
} from "./commands/file.ts";
import { alsoWritten, retrievalOf } from "./commands/copies.ts";
import type { Decide } from "./commands/decision.ts";
import type { IdempotentRequest } from "./commands/idempotency.ts";
import { prepareAndRun } from "./commands/run.ts";
import type { Instance } from "./instance.ts";
import type { ObjectLease } from "./leases.ts";
import { admitKnown } from "./placement/admitting.ts";
import { noteWriteFailure } from "./placement/findings.ts";
import { mayBeTold } from "./queries/readable-objects.ts";
import type { Caller } from "./scope.ts";
import { together } from "./together.ts";
import type { AddedFile, ExpectedContent, IngestFileOptions } from "./types.ts";

/**
 * Stores a stream's bytes once and records the file. The address is leased before the object
 * becomes visible and until the reference is recorded, so that no collector can take it between.
 */
export async function ingestFile(
  instance: Instance,
  caller: Caller,
  placement: FilePlacement,
  source: AsyncIterable<Uint8Array>,
  options: Omit<IngestFileOptions, "idempotencyKey">,
  idempotent: IdempotentRequest | undefined,
): Promise<AddedFile> {
  const ingest = new Ingest(instance, caller, placement, options);
  try {
    const prepare = () => ingest.store(source);
    const added = await prepareAndRun(instance, caller.actor, prepare, idempotent);
    ingest.recorded();
    return added;
  } finally {
    await ingest.end();
  }
}

/** One body on its way into a package. */
class Ingest {
  readonly #instance: Instance;
  readonly #caller: Caller;
  readonly #placement: FilePlacement;
  readonly #options: IngestFileOptions;
  #lease: ObjectLease | undefined;
  #givenBack = false;
  /** Where the object is, or goes to. */
  #backend: string;
  /** Held while a damaged copy is written anew. */
  #mending: ObjectLease | undefined;

  constructor(
    instance: Instance,
    caller: Caller,
    placement: FilePlacement,
    options: IngestFileOptions,
  ) {
    this.#instance = instance;
    this.#caller = caller;
    this.#placement = placement;
    this.#options = options;
    this.#backend = instance.placement.primary;
  }

  /** Makes the bytes an object that is leased; what is left to do is to record the file. */
  async store(source: AsyncIterable<Uint8Array>): Promise<Decide<AddedFile>> {
    const { database, leases, lifetime, objectLimitBytes, placement, primary } = this.#instance;
    const { expect, signal, onProgress } = this.#options;
    // Asked before the body is read, so that nobody sends it in vain.
    const { row } = await findPlace({ sql: database.reader }, this.#placement);
    try {
      const { digest, receipt } = await ingestStream(primary, source, {
        lease: await leases.process(),
        admit: (admitted) => this.#admit(admitted),
        signal: lifetime.signalWith(signal),
        retentionClass: row.retentionClass,
        ...(objectLimitBytes === undefined ? {} : { limitBytes: objectLimitBytes }),
        ...(expect === undefined ? {} : { expect: expectation(expect) }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
      const existed = receipt === undefined || receipt.existed;
      const address = contentAddress(digest.primary);
      const view = { sql: database.reader, tables: database.tables };
      const deduplicated = existed && (await mayBeTold(view, this.#caller.scope, address));
      return this.#recording({ digest, backend: this.#backend, deduplicated }, receipt);
    } catch (error) {
      noteWriteFailure(this.#instance, placement.primary, error);
      throw lifetime.reasonOf(error);
    }
  }

  /** The command was recorded, and whatever it did is durable. */
  recorded(): void {
    if (this.#givenBack) this.#lease = undefined;
  }

  /** Gives the lease back unless that was recorded with the file. */
  async end(): Promise<void> {
    const { leases } = this.#instance;
    if (this.#lease !== undefined) await leases.giveBack(this.#lease);
    if (this.#mending !== undefined) await leases.giveBack(this.#mending);
  }

  async #admit({ primary: digest, sizeBytes }: DualDigest): Promise<"write" | "present"> {
    const address = contentAddress(digest);
    const { lease, known } = await this.#instance.leases.takeObject(address);
    this.#lease = lease;
    if (!known) return "write";
    // The rows say where the object was stored; the look at the backend mends one that was lost.
    const admission = await admitKnown(this.#instance, { address, sizeBytes }, this.#backend);
    if (admission.present === undefined) {
      this.#mending = admission.mending;
      return "write";
    }
    this.#backend = admission.present;
    return "present";
  }

  /** Adds the file and gives the lease back, both in one transaction. */
  #recording(object: StoredObject, receipt: StorageReceipt | undefined): Decide<AddedFile> {
    const decide = this.#deciding(object, receipt);
    return async (view) => {
      const lease = this.#lease;
      const givingBack =
        lease === undefined ? undefined : this.#instance.leases.giveBackWith(view.sql, lease);
      const [decision] = await together([decide(view), Promise.resolve(givingBack)]);
      this.#givenBack = true;
      return decision;
    };
  }

  /** Without a receipt the object was there before. */
  #deciding(object: StoredObject, receipt: StorageReceipt | undefined): Decide<AddedFile> {
    const { placement } = this.#instance;
    if (receipt === undefined) return addFileAt(this.#placement, object, placement);
    return alsoWritten(addFile(this.#placement, object), {
      address: contentAddress(object.digest.primary),
      backend: object.backend,
      isMended: this.#mending !== undefined,
      retrieval: retrievalOf(receipt),
    });
  }
}

function expectation({ sha256, ...rest }: ExpectedContent): Expectation {
  return sha256 === undefined ? rest : { ...rest, sha256: digestOf(sha256) };
}
