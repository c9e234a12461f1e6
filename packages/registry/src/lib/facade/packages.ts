import { isStoreError, StoreError } from "@store/identity";

import { assertCoordinates, assertText, canonicalMetadata } from "../arguments.ts";
import { finalizePackage } from "../commands/finalize.ts";
import { abandonPackage, createPackage, unyankPackage, yankPackage } from "../commands/package.ts";
import { runCommand, type Decide } from "../commands/run.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import type { Instance } from "../instance.ts";
import { defaultRetentionClass, limits } from "../limits.ts";
import { draftManifest } from "../queries/manifest-draft.ts";
import { getMetadataSchema } from "../queries/schemas.ts";
import type { Registry } from "../registry.ts";
import { formatTime } from "../times.ts";
import type { CreatePackageInput, FinalizedPackage } from "../types.ts";

/** How often a package that keeps changing is drafted again before finalizing gives up. */
const finalizeAttempts = 16;

type PackageCommands = Pick<
  Registry,
  "createPackage" | "finalizePackage" | "abandonPackage" | "yankPackage" | "unyankPackage"
>;

/** The commands on whole packages. */
export function packageCommands(instance: Instance, actor: string): PackageCommands {
  return {
    createPackage: async (input, { idempotencyKey } = {}) => {
      assertCoordinates(input);
      assertText("source", input.source, limits.provenanceBytes);
      assertText("build", input.build, limits.provenanceBytes);
      const described = await describe(instance, input);
      const command = createPackage({
        ...described,
        packageId: instance.ids(),
        retentionClass: input.retentionClass ?? defaultRetentionClass,
        openPackageMs: instance.openPackageMs,
      });
      const idempotent = idempotentRequest(idempotencyKey, "createPackage", input);
      return runCommand(instance, actor, command, idempotent);
    },

    finalizePackage: (packageId, { idempotencyKey } = {}) =>
      finalize(instance, actor, packageId, idempotencyKey),

    abandonPackage: async (packageId, { idempotencyKey } = {}) => {
      const idempotent = idempotentRequest(idempotencyKey, "abandonPackage", { packageId });
      await runCommand(instance, actor, abandonPackage(packageId, "abandoned"), idempotent);
    },

    yankPackage: async (packageId, { idempotencyKey, reason } = {}) => {
      assertText("reason", reason, limits.reasonBytes);
      const idempotent = idempotentRequest(idempotencyKey, "yankPackage", { packageId, reason });
      return runCommand(instance, actor, yankPackage(packageId, reason), idempotent);
    },

    unyankPackage: async (packageId, { idempotencyKey } = {}) => {
      const idempotent = idempotentRequest(idempotencyKey, "unyankPackage", { packageId });
      return runCommand(instance, actor, unyankPackage(packageId), idempotent);
    },
  };
}

/** The input with its metadata canonical and held against its schema, if it names one. */
async function describe(instance: Instance, input: CreatePackageInput) {
  const { metadata, metadataSchema, ...rest } = input;
  if (metadataSchema !== undefined && metadata === undefined) {
    throw new StoreError(
      "invalid_metadata",
      `The schema ${metadataSchema.slice(0, 200)} is named, but there is no metadata to satisfy it.`,
    );
  }
  if (metadata === undefined) return rest;
  const canonical = canonicalMetadata(metadata);
  if (metadataSchema === undefined) return { ...rest, metadata: canonical };
  const { database, validator } = instance;
  const found = await getMetadataSchema(database.reader, database.tables, metadataSchema);
  const reference = `${found.name}@${found.revision}`;
  await validator.validate(reference, found.schema, metadata);
  return { ...rest, metadata: canonical, metadataSchema: reference };
}

/** Drafts the manifest outside the writer and records it, again where the package moved. */
async function finalize(
  instance: Instance,
  actor: string,
  packageId: string,
  idempotencyKey: string | undefined,
): Promise<FinalizedPackage> {
  const { database } = instance;
  const idempotent = idempotentRequest(idempotencyKey, "finalizePackage", { packageId });
  for (let attempt = 1; ; attempt += 1) {
    try {
      const at = formatTime(instance.clock());
      const drafting = draftManifest(database.reader, database.tables, packageId, {
        by: actor,
        at,
      });
      // A draft that fails is no reason not to ask: with a key it may have been answered before.
      await drafting.catch(() => undefined);
      const decide: Decide<FinalizedPackage> = async (view) =>
        finalizePackage(await drafting)(view);
      return await runCommand(instance, actor, decide, idempotent);
    } catch (error) {
      if (!isStoreError(error, "package_changed") || attempt >= finalizeAttempts) throw error;
    }
  }
}
