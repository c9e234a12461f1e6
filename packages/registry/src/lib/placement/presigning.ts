import { isStoreError } from "@store/identity";

import { assertInteger, optionsOf, textOf } from "../arguments.ts";
import { isLocked } from "../retrieval.ts";
import { formatTime } from "../times.ts";
import { findReadable, type ReadingInstance, type SizedObject } from "./reading.ts";
import type { PresignedRead, PresignReadOptions } from "./types.ts";

/** The longest that a URL may work, and how long it does unless something else is asked for. */
const longestMs = 300_000;

/** Whether any backend gives URLs, so that asking for one may be worth a look. */
export function mayPresign({ placement }: Pick<ReadingInstance, "placement">): boolean {
  return placement.readOrder.some(
    (name) => placement.backend(name)?.capabilities.presignedReads === true,
  );
}

/** @throws {StoreError} `invalid_argument` unless a URL can be asked for so */
export function presignOptions(given: PresignReadOptions | undefined): PresignReadOptions {
  const { expiresMs, mediaType, disposition } = optionsOf(given);
  if (expiresMs !== undefined) assertInteger("expiresMs", expiresMs, 1, longestMs);
  if (mediaType !== undefined) textOf("media type", mediaType);
  if (disposition !== undefined) textOf("disposition", disposition);
  return {
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(disposition === undefined ? {} : { disposition }),
  };
}

/**
 * A URL for the copy that would be read first, if it is there, was not found damaged and its backend
 * gives URLs; undefined otherwise, and wherever a look at it fails: then the object is to be read
 * through the registry, which goes on with other copies and reports.
 */
export async function presign(
  instance: ReadingInstance,
  { address, sizeBytes }: SizedObject,
  options: PresignReadOptions,
): Promise<PresignedRead | undefined> {
  const { copies, damaged } = await findReadable(instance, address);
  const name = copies[0]?.name ?? "";
  const backend = instance.placement.backend(name);
  if (backend?.capabilities.presignedReads !== true || damaged.has(name)) return undefined;
  const expiresAt = formatTime(instance.clock() + (options.expiresMs ?? longestMs));
  try {
    const stat = await backend.stat(address);
    if (stat?.sizeBytes !== sizeBytes || isLocked(stat.retrieval)) return undefined;
    return { url: await backend.presign(address, options), expiresAt };
  } catch (error) {
    if (isStoreError(error)) return undefined;
    throw error;
  }
}
