import { StoreError } from "@store/identity";

import {
  assertExpectedContent,
  assertFlag,
  assertInteger,
  assertSignal,
  assertSource,
  objectOf,
  optionsOf,
  shown,
  textOf,
} from "../arguments.ts";
import type { Instance } from "../instance.ts";
import { countOpenUploads, formatClaims, listUploads } from "../queries/uploads.ts";
import { formatTime } from "../times.ts";
import type {
  AppendUploadOptions,
  ChecksumAlgorithm,
  CreateUploadInput,
  UploadMetadata,
  Uploads,
} from "../uploads/types.ts";
import type { NewUpload } from "../uploads/records.ts";

const metadataBytes = 8 * 1024;
const checksumBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
};

/** The methods of resumable uploads. */
export function uploadMethods(instance: Instance, actor: string): Uploads {
  const { clock, database, uploads } = instance;
  return {
    createUpload: async (input) => uploads.create(actor, describedUpload(input)),

    getUpload: async (uploadId, options) => {
      const { settled } = optionsOf(options);
      assertFlag("settled", settled);
      textOf("upload id", uploadId);
      return settled === true ? uploads.settle(actor, uploadId) : uploads.get(actor, uploadId);
    },

    listUploads: async (page) =>
      listUploads(database, { actor, now: formatTime(clock()) }, optionsOf(page)),

    setUploadSize: async (uploadId, sizeBytes) => {
      textOf("upload id", uploadId);
      assertBytes("sizeBytes", sizeBytes);
      return uploads.setSize(actor, uploadId, sizeBytes);
    },

    appendUpload: async (uploadId, offsetBytes, source, given) => {
      const options = optionsOf(given);
      textOf("upload id", uploadId);
      assertBytes("offsetBytes", offsetBytes);
      assertSource(source);
      assertSignal(options.signal);
      assertChecksum(options.checksum);
      return uploads.append(actor, uploadId, offsetBytes, source, options);
    },

    cancelUpload: async (uploadId) => {
      textOf("upload id", uploadId);
      await uploads.cancel(actor, uploadId);
    },

    countOpenUploads: async () => countOpenUploads(database.reader, formatTime(clock())),
  };
}

function describedUpload(given: CreateUploadInput | undefined): NewUpload {
  const { sizeBytes, expect, metadata = {} } = optionsOf(given, "input");
  assertExpectedContent(expect);
  const { address, sha256, sizeBytes: expectedBytes } = optionsOf(expect, "expect");
  if (sizeBytes !== undefined) assertBytes("sizeBytes", sizeBytes);
  if (sizeBytes !== undefined && expectedBytes !== undefined && sizeBytes !== expectedBytes) {
    throw new StoreError(
      "invalid_argument",
      `The upload cannot have ${sizeBytes} bytes and ${expectedBytes} too; give one size.`,
      { context: { expected: expectedBytes, actual: sizeBytes } },
    );
  }
  return {
    sizeBytes: sizeBytes ?? expectedBytes,
    claims: formatClaims([address, sha256]),
    metadata: metadataText(metadata),
  };
}

function metadataText(metadata: UploadMetadata): string {
  const entries = Object.entries(objectOf("metadata", metadata));
  for (const [name, value] of entries) {
    const written = textOf(`metadata ${shown(name)}`, value);
    if (name.isWellFormed() && written.isWellFormed() && !`${name}${written}`.includes("\0")) {
      continue;
    }
    throw new StoreError(
      "invalid_argument",
      `The metadata ${shown(name)} must hold no lone surrogates and no U+0000.`,
      { context: { actual: shown(name) } },
    );
  }
  const text = JSON.stringify(Object.fromEntries(entries));
  if (Buffer.byteLength(text) <= metadataBytes) return text;
  throw new StoreError(
    "limit_exceeded",
    `The metadata of an upload has at most ${metadataBytes} bytes as JSON.`,
    { context: { limit: metadataBytes, actual: Buffer.byteLength(text) } },
  );
}

function assertBytes(what: string, value: unknown): void {
  assertInteger(what, value, 0, Number.MAX_SAFE_INTEGER);
}

function assertChecksum(checksum: AppendUploadOptions["checksum"]): void {
  if (checksum === undefined) return;
  const { algorithm, digest } = objectOf("checksum", checksum);
  const name = textOf("algorithm of the checksum", algorithm);
  if (!Object.hasOwn(checksumBytes, name)) {
    throw new StoreError(
      "invalid_argument",
      `${shown(name)} is no checksum that is known; use ${Object.keys(checksumBytes).join(", ")}.`,
      { context: { actual: shown(name) } },
    );
  }
  const sizeBytes = checksumBytes[algorithm];
  if (digest instanceof Uint8Array && digest.length === sizeBytes) return;
  throw new StoreError(
    "invalid_argument",
    `A ${algorithm} checksum is ${sizeBytes} bytes, given as a Uint8Array.`,
    { context: { expected: sizeBytes } },
  );
}
