import { assertFilePath, parseContentAddress, type ContentAddress } from "@store/identity";

import { assertMediaType } from "../arguments.ts";
import { addKnownFile, removeFile, unknownObject, type FilePlacement } from "../commands/file.ts";
import { runCommand } from "../commands/run.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import { ingestFile, primaryRole } from "../ingest.ts";
import type { Instance } from "../instance.ts";
import type { Registry } from "../registry.ts";
import type { FileOptions } from "../types.ts";

type FileCommands = Pick<Registry, "ingestFile" | "addFile" | "removeFile">;

/** The commands on the files of an open package. */
export function fileCommands(instance: Instance, actor: string): FileCommands {
  const placement = (packageId: string, path: string, options: FileOptions): FilePlacement => {
    assertFilePath(path);
    assertMediaType(options.mediaType);
    return {
      packageId,
      path,
      mediaType: options.mediaType,
      executable: options.executable ?? false,
      replace: options.replace ?? false,
      openPackageMs: instance.openPackageMs,
    };
  };
  return {
    ingestFile: async (packageId, path, source, options = {}) => {
      const place = placement(packageId, path, options);
      const { expect, idempotencyKey } = options;
      const idempotent = idempotentRequest(idempotencyKey, "ingestFile", { place, expect });
      return ingestFile(instance, actor, place, source, options, idempotent);
    },

    addFile: async (packageId, path, address, options = {}) => {
      const place = placement(packageId, path, options);
      const parsed = parseContentAddress(address);
      await refuseUnreadable(instance, actor, parsed);
      const decide = addKnownFile(place, parsed, primaryRole);
      const idempotent = idempotentRequest(options.idempotencyKey, "addFile", { place, address });
      return runCommand(instance, actor, decide, idempotent);
    },

    removeFile: async (packageId, path, { idempotencyKey } = {}) => {
      const decide = removeFile({ packageId, path, openPackageMs: instance.openPackageMs });
      const idempotent = idempotentRequest(idempotencyKey, "removeFile", { packageId, path });
      await runCommand(instance, actor, decide, idempotent);
    },
  };
}

/** An object that the actor may not read is refused as one that is not there. */
async function refuseUnreadable(
  instance: Instance,
  actor: string,
  address: ContentAddress,
): Promise<void> {
  if (!(await instance.mayReadObject(actor, address))) throw unknownObject(address);
}
