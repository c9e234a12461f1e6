import {
  assertFilePath,
  digestOf,
  parseContentAddress,
  StoreError,
  type ContentAddress,
} from "@store/identity";

import {
  assertCallback,
  assertFileOptions,
  assertInteger,
  assertSignal,
  assertSource,
  optionsOf,
  textOf,
} from "../arguments.ts";
import type { Decide } from "../commands/decision.ts";
import { addKnownFile, removeFile, type FilePlacement } from "../commands/file.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import { prepareAndRun, runCommand } from "../commands/run.ts";
import { ingestFile, primaryRole } from "../ingest.ts";
import type { Instance } from "../instance.ts";
import { findObject, unknownObject } from "../queries/objects.ts";
import { unknownUpload } from "../queries/uploads.ts";
import type { Registry } from "../registry.ts";
import type { AddedFile, FileOptions, IngestFileOptions } from "../types.ts";

type FileCommands = Pick<Registry, "ingestFile" | "addFile" | "removeFile">;

/** The commands on the files of an open package. */
export function fileCommands(instance: Instance, actor: string): FileCommands {
  const { openPackageMs } = instance;
  const placement = (packageId: string, path: string, options: FileOptions): FilePlacement => {
    textOf("package id", packageId);
    assertFilePath(path);
    assertFileOptions(options);
    const { mediaType, executable = false, replace = false } = options;
    return { packageId, path, mediaType, executable, replace, openPackageMs };
  };
  return {
    ingestFile: async (packageId, path, source, given) => {
      const { idempotencyKey, ...options } = optionsOf(given);
      const place = placement(packageId, path, options);
      assertSource(source);
      assertIngestOptions(options);
      const { expect } = options;
      const idempotent = idempotentRequest(idempotencyKey, "ingestFile", {
        ...place,
        address: expect?.address,
        sha256: expect?.sha256,
        sizeBytes: expect?.sizeBytes,
      });
      return ingestFile(instance, actor, place, source, options, idempotent);
    },

    addFile: async (packageId, path, object, options) => {
      const { idempotencyKey, ...fileOptions } = optionsOf(options);
      const place = placement(packageId, path, fileOptions);
      if (typeof object === "object") throw unknownUpload(object.upload);
      const address = object;
      const parsed = parseContentAddress(address);
      const idempotent = idempotentRequest(idempotencyKey, "addFile", { ...place, address });
      const prepare = () => knownFile(instance, actor, place, parsed);
      return prepareAndRun(instance, actor, prepare, idempotent);
    },

    removeFile: async (packageId, path, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      assertFilePath(path);
      const decide = removeFile({ packageId, path, openPackageMs });
      const idempotent = idempotentRequest(idempotencyKey, "removeFile", { packageId, path });
      await runCommand(instance, actor, decide, idempotent);
    },
  };
}

function assertIngestOptions({ expect, signal, onProgress }: IngestFileOptions): void {
  assertSignal(signal);
  assertCallback("onProgress", onProgress);
  const { address, sha256, sizeBytes } = optionsOf(expect, "expect");
  if (address !== undefined) parseContentAddress(address);
  if (sha256 !== undefined && digestOf(parseContentAddress(sha256)).algorithm !== "sha256") {
    throw new StoreError(
      "invalid_argument",
      `expect.sha256 is ${sha256}; give the address by SHA-256, "sha256:<64 hex>".`,
      { context: { actual: sha256 } },
    );
  }
  if (sizeBytes !== undefined) {
    assertInteger("expect.sizeBytes", sizeBytes, 0, Number.MAX_SAFE_INTEGER);
  }
}

/** An object that the actor may not read, or that was lost, is refused as one that is not there. */
async function knownFile(
  { database, mayReadObject, primary }: Instance,
  actor: string,
  place: FilePlacement,
  address: ContentAddress,
): Promise<Decide<AddedFile>> {
  const object = await findObject(database.reader, address);
  if (object === undefined) throw unknownObject(address);
  const known = parseContentAddress(object.contentAddress);
  if (!(await mayReadObject(actor, known))) throw unknownObject(address);
  const stat = await primary.stat(known);
  if (stat?.sizeBytes !== object.sizeBytes) throw unknownObject(address);
  return addKnownFile(place, known, primaryRole);
}
