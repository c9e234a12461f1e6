import type { UploadInfo } from "@store/api";
import { isStoreError, type ContentAddress } from "@store/identity";

import { thrownFailure } from "../http/failures.ts";
import type { Retries } from "../http/retries.ts";
import { bodyOf, type HashedSource } from "./source.ts";
import type { ResumableTarget } from "./target.ts";

/** Uploads that were begun before, e.g. by a program that was interrupted. */
export class BegunUploads {
  readonly #target: ResumableTarget;
  #listed: Promise<UploadInfo[]> | undefined;

  constructor(target: ResumableTarget) {
    this.#target = target;
  }

  /** The one that has got furthest of those for the same bytes; it is given once. */
  async take(address: ContentAddress, sizeBytes: number): Promise<string | undefined> {
    this.#listed ??= this.#list();
    const listed = await this.#listed;
    const [found] = listed
      .filter((one) => one.metadata["expect"] === address && one.sizeBytes === sizeBytes)
      .toSorted((a, b) => b.offsetBytes - a.offsetBytes);
    if (found !== undefined) listed.splice(listed.indexOf(found), 1);
    return found?.id;
  }

  async #list(): Promise<UploadInfo[]> {
    const found: UploadInfo[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#target.listUploads({
        limit: 1000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      found.push(...page.items.filter((one) => one.status === "open"));
      ({ cursor } = page);
    } while (cursor !== undefined);
    return found;
  }
}

export interface ResumableUploadOptions {
  readonly retentionClass: string | undefined;
  readonly signal: AbortSignal;
  readonly retries: Retries;
  /** Most bytes of one request; the rest at once unless given. */
  readonly partBytes: number;
  /** Called with the bytes that are known to be there, or on their way. */
  readonly onPosition: (sizeBytes: number) => void;
  /** Called with bytes that were sent, each time more were. */
  readonly onSent: (sizeBytes: number) => void;
}

/** How often another may take the upload over before it is left to it. */
const mostTakeovers = 2;

/**
 * Sends a large file as a resumable upload, perhaps one that was begun before, and gives the
 * upload's id, once it is complete. Each failure for the moment is followed by another request at the durable offset; patience begins
 * again with each byte that arrived. What is given up stays with the server until it expires, so
 * that another call goes on with it.
 */
export async function sendResumably(
  target: ResumableTarget,
  begun: string | undefined,
  hashed: HashedSource,
  options: ResumableUploadOptions,
): Promise<string> {
  const { signal, retries, onPosition } = options;
  const { sizeBytes } = hashed;
  const attempts = retries.begin(`uploading ${hashed.source.path}`, signal);
  let id = begun;
  let [durable, takeovers] = [-1, 0];
  for (;;) {
    try {
      id ??= await create(target, hashed, options);
      let offset = await target.getUploadOffset(id);
      while (offset < sizeBytes) {
        if (offset > durable) attempts.progressed();
        durable = offset;
        onPosition(offset);
        offset = await append(target, id, hashed, offset, options);
      }
      onPosition(sizeBytes);
      return id;
    } catch (error) {
      // It expired, or ended otherwise: what counts is that it is not there.
      const isGone = isStoreError(error, "upload_not_found");
      if (isStoreError(error, "upload_locked")) takeovers += 1;
      if (isGone || takeovers > mostTakeovers) [id, durable, takeovers] = [undefined, -1, 0];
      const failure = thrownFailure(error, `uploading ${hashed.source.path}`, signal);
      const isPassing = isGone || isStoreError(error, "upload_conflict") || failure.isTransient;
      await attempts.pause({ ...failure, isTransient: isPassing && !signal.aborted });
    }
  }
}

/** Sends one part, and gives the offset after it. */
async function append(
  target: ResumableTarget,
  id: string,
  hashed: HashedSource,
  offset: number,
  { signal, partBytes, onPosition, onSent }: ResumableUploadOptions,
): Promise<number> {
  let reported = 0;
  const body = bodyOf(hashed, offset, Math.min(hashed.sizeBytes, offset + partBytes));
  const { offsetBytes } = await target.appendUpload(id, offset, body, {
    signal,
    onProgress: (sent) => {
      onSent(sent - reported);
      reported = sent;
      onPosition(offset + sent);
    },
  });
  // A `Blob` tells nothing on its way.
  onSent(offsetBytes - offset - reported);
  return offsetBytes;
}

async function create(
  target: ResumableTarget,
  hashed: HashedSource,
  { retentionClass }: ResumableUploadOptions,
): Promise<string> {
  const { address, sizeBytes, source } = hashed;
  const { id } = await target.createUpload({
    sizeBytes,
    expect: { address },
    metadata: {
      filename: source.path,
      expect: address,
      ...(retentionClass === undefined ? {} : { retention_class: retentionClass }),
    },
  });
  return id;
}
