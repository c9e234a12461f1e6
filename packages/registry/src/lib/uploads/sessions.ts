import { isStoreError, StoreError } from "@store/identity";
import { SourceReader, type Digester, type Staged } from "@store/storage";

import {
  findUpload,
  findUploadIfAny,
  uploadInfo,
  type UploadKey,
  type UploadRow,
} from "../queries/uploads.ts";
import { noteWriteFailure } from "../placement/findings.ts";
import { formatTime } from "../times.ts";
import { appendSource, tooLarge } from "./appending.ts";
import { stageChecked } from "./checksum.ts";
import { completeUpload } from "./completing.ts";
import { Digesters } from "./digesters.ts";
import { HeldUpload, type Settled } from "./held-upload.ts";
import { UploadLocks } from "./locks.ts";
import {
  createUpload,
  type NewUpload,
  type SessionLimits,
  type UploadsInstance,
} from "./records.ts";
import { Turns } from "./turns.ts";
import type { AppendUploadOptions, UploadInfo } from "./types.ts";

/** The uploads of one open instance: one request at a time works on each. */
export class UploadSessions {
  readonly #instance: UploadsInstance;
  readonly #limits: SessionLimits;
  readonly #turns = new Turns();
  readonly #digesters = new Digesters();
  readonly #locks: UploadLocks;

  constructor(instance: UploadsInstance, limits: SessionLimits) {
    const { database, clock } = instance;
    const { lockMs, uploadMs } = limits;
    this.#instance = instance;
    this.#limits = limits;
    this.#locks = new UploadLocks({ database, clock, lockMs, uploadMs });
  }

  async create(actor: string, described: NewUpload): Promise<UploadInfo> {
    this.#assertSize(described.sizeBytes);
    const row = await createUpload(this.#instance, this.#limits, actor, described);
    // All of its bytes are there.
    return row.sizeBytes === 0 ? this.settle(actor, row.uploadId) : uploadInfo(row);
  }

  async get(actor: string, uploadId: string): Promise<UploadInfo> {
    return uploadInfo(await findUpload(this.#instance.database.reader, this.#key(actor, uploadId)));
  }

  /** Ends what is under way, looks what is durable, and completes what only has to be completed. */
  async settle(actor: string, uploadId: string): Promise<UploadInfo> {
    const info = await this.get(actor, uploadId);
    if (info.status === "complete") return info;
    return this.#hold(actor, uploadId, undefined, async (held) =>
      this.#completeIfWhole(held, await held.settle()),
    );
  }

  async setSize(actor: string, uploadId: string, sizeBytes: number): Promise<UploadInfo> {
    this.#assertSize(sizeBytes);
    return this.#hold(actor, uploadId, undefined, async (held) => {
      const settled = await held.settle();
      const { offsetBytes, sizeBytes: said } = settled.row;
      if (said === sizeBytes) return this.#completeIfWhole(held, settled);
      if (said !== null) throw conflict(uploadId, `it was declared with ${said} bytes`, said);
      if (offsetBytes > sizeBytes) {
        throw conflict(uploadId, `it has ${offsetBytes} bytes already`, offsetBytes);
      }
      return this.#completeIfWhole(held, { ...settled, row: await held.setSize(sizeBytes) });
    });
  }

  async append(
    actor: string,
    uploadId: string,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    options: AppendUploadOptions,
  ): Promise<UploadInfo> {
    return this.#hold(actor, uploadId, options.signal, async (held) => {
      const settled = await held.settle();
      const { row } = settled;
      if (row.offsetBytes !== offsetBytes) {
        throw conflict(uploadId, `it goes on at byte ${row.offsetBytes}`, row.offsetBytes);
      }
      const reader = new SourceReader(source, held.signal);
      try {
        if (row.status === "open") return await this.#appendTo(held, settled, reader, options);
        await assertNothing(reader, row);
        return row;
      } finally {
        await reader.release();
      }
    });
  }

  async cancel(actor: string, uploadId: string): Promise<void> {
    const { reader } = this.#instance.database;
    if ((await findUploadIfAny(reader, this.#key(actor, uploadId))) === undefined) return;
    try {
      await this.#hold(actor, uploadId, undefined, async (held) => {
        this.#digesters.drop(uploadId);
        await held.discard();
        return held.row;
      });
    } catch (error) {
      if (!isStoreError(error, "upload_not_found")) throw error;
    }
  }

  close(): void {
    this.#digesters.close();
    this.#locks.close();
  }

  /** Appends a source, or first all of it apart where its checksum has to be right before. */
  async #appendTo(
    held: HeldUpload,
    settled: Settled,
    reader: SourceReader,
    { checksum }: AppendUploadOptions,
  ): Promise<UploadRow> {
    if (checksum === undefined) return this.#append(held, settled, reader);
    const apart = await held.stage(settled.row);
    try {
      const { sizeBytes, offsetBytes } = settled.row;
      const room = Math.min(sizeBytes ?? Infinity, this.#limits.limitBytes) - offsetBytes;
      await stageChecked(apart, reader, checksum, room);
      const checked = new SourceReader(apart.read(), held.signal);
      try {
        return await this.#append(held, settled, checked);
      } finally {
        await checked.release();
      }
    } finally {
      // What cannot be discarded now is swept once the upload has ended.
      await apart.abort().catch(() => undefined);
    }
  }

  async #append(held: HeldUpload, settled: Settled, reader: SourceReader): Promise<UploadRow> {
    const { uploadId, sizeBytes } = settled.row;
    const staged = settled.staged ?? (await held.stageWhole(settled.row));
    const expectedBytes = sizeBytes ?? undefined;
    const digester = await this.#digesters.take(uploadId, staged.sizeBytes, expectedBytes);
    let isSpent = true;
    try {
      const { offsetBytes, failure } = await appendSource({
        staged,
        reader,
        digester,
        sizeBytes: expectedBytes,
        limitBytes: this.#limits.limitBytes,
        record: async (durable) => void (await held.save(staged.id, durable)),
      });
      const row = await held.save(staged.id, offsetBytes);
      if (offsetBytes === sizeBytes && failure === undefined) {
        return await this.#complete(held, row, staged, digester);
      }
      isSpent = digester === undefined;
      if (digester !== undefined) this.#digesters.keep(uploadId, digester, offsetBytes);
      if (failure !== undefined) throw failure.error;
      return row;
    } finally {
      if (isSpent) digester?.abort();
    }
  }

  async #completeIfWhole(held: HeldUpload, settled: Settled): Promise<UploadRow> {
    const { row } = settled;
    if (row.status === "complete" || row.offsetBytes !== row.sizeBytes) return row;
    const staged = settled.staged ?? (await held.stageWhole(row));
    const digester = await this.#digesters.take(row.uploadId, staged.sizeBytes, row.sizeBytes);
    try {
      return await this.#complete(held, row, staged, digester);
    } finally {
      digester?.abort();
    }
  }

  /** Makes the object. Whoever wants the upload meanwhile waits for that, and so does its sender. */
  async #complete(
    held: HeldUpload,
    row: UploadRow,
    staged: Staged,
    digester: Digester | undefined,
  ): Promise<UploadRow> {
    const { instance, holder, expiresAt } = held;
    const signal = instance.lifetime.signalWith(undefined);
    try {
      return await completeUpload({
        instance,
        row,
        staged,
        digester,
        holder,
        signal,
        expiresAt,
      });
    } catch (error) {
      if (isStoreError(error, "digest_mismatch")) {
        await held.discard(staged.id).catch(() => undefined);
      }
      throw error;
    }
  }

  /** Runs `work` while nobody else works on the upload, in any process. */
  async #hold(
    actor: string,
    uploadId: string,
    given: AbortSignal | undefined,
    work: (held: HeldUpload) => Promise<UploadRow>,
  ): Promise<UploadInfo> {
    const instance = this.#instance;
    const signal = instance.lifetime.signalWith(given);
    const { uploadMs } = this.#limits;
    const locks = this.#locks;
    try {
      // Before anybody is asked to give way.
      await findUpload(instance.database.reader, this.#key(actor, uploadId));
      const turn = await this.#turns.take(uploadId, locks.patienceMs, signal);
      try {
        const wanted = AbortSignal.any([signal, turn.asked]);
        const { lock, row } = await locks.take(uploadId, actor, wanted);
        try {
          const ending = AbortSignal.any([wanted, lock.ending]);
          const held = { instance, row, signal: ending, locks, lock, uploadMs };
          return uploadInfo(await work(new HeldUpload(held)));
        } catch (error) {
          noteWriteFailure(instance, row.backend, error);
          throw error;
        } finally {
          await locks.free(lock);
        }
      } finally {
        turn.end();
      }
    } catch (error) {
      throw reasonOf(error, signal);
    }
  }

  #key(actor: string, uploadId: string): UploadKey {
    return { actor, uploadId, now: formatTime(this.#instance.clock()) };
  }

  #assertSize(sizeBytes: number | undefined): void {
    const { limitBytes } = this.#limits;
    if (sizeBytes !== undefined && sizeBytes > limitBytes) throw tooLarge(limitBytes);
  }
}

/** What gave the work up, rather than that it was given up. */
function reasonOf(error: unknown, signal: AbortSignal): unknown {
  if (isStoreError(error, "aborted") && isStoreError(error.cause)) return error.cause;
  if (!signal.aborted || error !== signal.reason || isStoreError(error)) return error;
  return new StoreError("aborted", "The request on the upload was given up.", { cause: error });
}

function conflict(uploadId: string, why: string, actual: number): StoreError {
  return new StoreError("upload_conflict", `The upload ${uploadId} does not fit: ${why}.`, {
    context: { actual },
  });
}

async function assertNothing(reader: SourceReader, row: UploadRow): Promise<void> {
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    if (chunk.length > 0) throw conflict(row.uploadId, "it is complete", row.offsetBytes);
  }
}
