import {
  assertFilePath,
  contentAddress,
  parseContentAddress,
  type ContentAddress,
} from "@store/identity";

import {
  assertCallback,
  assertExpectedContent,
  assertFileOptions,
  assertSignal,
  assertSource,
  optionsOf,
  textOf,
} from "../arguments.ts";
import type { Decide } from "../commands/decision.ts";
import { addKnownFile, removeFile, type FilePlacement } from "../commands/file.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import { prepareAndRun, runCommand } from "../commands/run.ts";
import { ingestFile } from "../ingest.ts";
import type { Instance } from "../instance.ts";
import { findPresent } from "../placement/admitting.ts";
import { refuseUncovered } from "../queries/find.ts";
import { unknownObject } from "../queries/objects.ts";
import { findReadableObject } from "../queries/readable-objects.ts";
import type { Registry } from "../registry.ts";
import type { Caller } from "../scope.ts";
import { formatTime } from "../times.ts";
import type { AddedFile, FileOptions, IngestFileOptions } from "../types.ts";
import { addUploadedFile } from "../uploads/adding.ts";

type FileCommands = Pick<Registry, "ingestFile" | "addFile" | "removeFile">;

/** The commands on the files of an open package. */
export function fileCommands(instance: Instance, caller: Caller): FileCommands {
  const { openPackageMs } = instance;
  const { actor } = caller;
  const readable = (packageId: string): Promise<void> =>
    refuseUncovered(instance.database.reader, packageId, caller.scope);
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
      await readable(packageId);
      return ingestFile(instance, caller, place, source, options, idempotent);
    },

    addFile: async (packageId, path, object, options) => {
      const { idempotencyKey, ...fileOptions } = optionsOf(options);
      const place = placement(packageId, path, fileOptions);
      await readable(packageId);
      if (typeof object === "object" && object !== null) {
        const upload = textOf("upload id", object.upload);
        const idempotent = idempotentRequest(idempotencyKey, "addFile", { ...place, upload });
        const prepare = () => addUploadedFile(instance, caller, place, upload);
        return prepareAndRun(instance, actor, prepare, idempotent);
      }
      const address = object;
      const parsed = parseContentAddress(address);
      const idempotent = idempotentRequest(idempotencyKey, "addFile", { ...place, address });
      const prepare = () => knownFile(instance, caller, place, parsed);
      return prepareAndRun(instance, actor, prepare, idempotent);
    },

    removeFile: async (packageId, path, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      assertFilePath(path);
      const decide = removeFile({ packageId, path, openPackageMs });
      const idempotent = idempotentRequest(idempotencyKey, "removeFile", { packageId, path });
      await readable(packageId);
      await runCommand(instance, actor, decide, idempotent);
    },
  };
}

function assertIngestOptions({ expect, signal, onProgress }: IngestFileOptions): void {
  assertSignal(signal);
  assertCallback("onProgress", onProgress);
  assertExpectedContent(expect);
}

/** An object that the caller may not read, or that was lost, is refused as one that is not there. */
async function knownFile(
  instance: Instance,
  caller: Caller,
  place: FilePlacement,
  address: ContentAddress,
): Promise<Decide<AddedFile>> {
  const { clock, database, placement } = instance;
  const { reader: sql, tables } = database;
  const digest = await findReadableObject(
    { sql, tables, now: formatTime(clock()) },
    caller,
    address,
  );
  const object = { address: contentAddress(digest.primary), sizeBytes: digest.sizeBytes };
  const present = await findPresent(instance, object, placement.primary);
  if (present === undefined) throw unknownObject(address);
  const { backend } = present;
  return addKnownFile(place, { address, caller, backend, at: placement });
}
