import { isStoreError, StoreError } from "@store/identity";

import {
  assertCoordinates,
  assertOptionalText,
  canonicalMetadata,
  objectOf,
  optionsOf,
  shown,
  textOf,
} from "../arguments.ts";
import { finalizePackage } from "../commands/finalize.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import {
  abandonPackage,
  createPackage,
  unyankPackage,
  yankPackage,
  type CreatePackage,
} from "../commands/package.ts";
import { prepareAndRun, runCommand } from "../commands/run.ts";
import type { Instance } from "../instance.ts";
import { defaultRetentionClass, limits } from "../limits.ts";
import { isCovered, refuseUncovered } from "../queries/find.ts";
import { draftManifest } from "../queries/manifest-draft.ts";
import { requireSchema } from "../queries/schemas.ts";
import type { Registry } from "../registry.ts";
import type { Caller } from "../scope.ts";
import { formatTime } from "../times.ts";
import type { CreatePackageInput, FinalizedPackage } from "../types.ts";

/** How often a package that keeps changing is drafted again before finalizing gives up. */
const finalizeAttempts = 16;

type PackageCommands = Pick<
  Registry,
  "createPackage" | "finalizePackage" | "abandonPackage" | "yankPackage" | "unyankPackage"
>;

/** The commands on whole packages. */
export function packageCommands(instance: Instance, { actor, scope }: Caller): PackageCommands {
  const { reader } = instance.database;
  return {
    createPackage: async (given, options) => {
      const described = describedPackage(given);
      const { idempotencyKey } = optionsOf(options);
      if (!scope.covers(described)) throw unreadableName(described);
      const idempotent = idempotentRequest(idempotencyKey, "createPackage", described);
      const prepare = async () =>
        createPackage({
          ...(await withCheckedMetadata(instance, described)),
          packageId: instance.ids(),
          openPackageMs: instance.openPackageMs,
        });
      return prepareAndRun(instance, actor, prepare, idempotent);
    },

    finalizePackage: async (packageId, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      await refuseUncovered(reader, packageId, scope);
      return finalize(instance, actor, packageId, idempotencyKey);
    },

    abandonPackage: async (packageId, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      const idempotent = idempotentRequest(idempotencyKey, "abandonPackage", { packageId });
      // A package that is not there was abandoned before, as far as its caller can tell.
      if (!(await isCovered(reader, packageId, scope))) return;
      await runCommand(instance, actor, abandonPackage(packageId, "abandoned"), idempotent);
    },

    yankPackage: async (packageId, options) => {
      const { idempotencyKey, reason } = optionsOf(options);
      textOf("package id", packageId);
      assertOptionalText("reason", reason, limits.reasonBytes);
      const idempotent = idempotentRequest(idempotencyKey, "yankPackage", { packageId, reason });
      await refuseUncovered(reader, packageId, scope);
      return runCommand(instance, actor, yankPackage(packageId, reason), idempotent);
    },

    unyankPackage: async (packageId, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      const idempotent = idempotentRequest(idempotencyKey, "unyankPackage", { packageId });
      await refuseUncovered(reader, packageId, scope);
      return runCommand(instance, actor, unyankPackage(packageId), idempotent);
    },
  };
}

/** The refusal to open a package that its maker could not see. */
function unreadableName({ namespace, name }: DescribedPackage): StoreError {
  const reference = `${namespace}/${name}`;
  return new StoreError(
    "permission_denied",
    `You may not read ${reference}, and so not open a package there. Ask for its scope.`,
    { context: { reference } },
  );
}

/** What the caller says of a package, checked as far as it can be without looking anything up. */
type DescribedPackage = Omit<CreatePackage, "packageId" | "openPackageMs">;

function describedPackage(given: CreatePackageInput): DescribedPackage {
  const { namespace, name, version, variant, source, build, ...input } = objectOf("input", given);
  assertCoordinates(given);
  assertOptionalText("source", source, limits.provenanceBytes);
  assertOptionalText("build", build, limits.provenanceBytes);
  const { metadata, metadataSchema, retentionClass = defaultRetentionClass } = input;
  if (metadataSchema !== undefined && metadata === undefined) {
    throw new StoreError(
      "invalid_metadata",
      `The schema ${shown(metadataSchema)} is named, but there is no metadata to satisfy it.`,
    );
  }
  return {
    namespace,
    name,
    version,
    ...(variant === undefined ? {} : { variant }),
    ...(source === undefined ? {} : { source }),
    ...(build === undefined ? {} : { build }),
    retentionClass: textOf("retention class", retentionClass),
    ...(metadata === undefined ? {} : { metadata: canonicalMetadata(metadata) }),
    ...(metadataSchema === undefined
      ? {}
      : { metadataSchema: textOf("metadata schema", metadataSchema) }),
  };
}

/** The same with its metadata held against the schema that it names, and that one's revision. */
async function withCheckedMetadata(
  { database: { reader, tables }, validator }: Instance,
  described: DescribedPackage,
): Promise<DescribedPackage> {
  const { metadata, metadataSchema } = described;
  if (metadata === undefined || metadataSchema === undefined) return described;
  const schema = await requireSchema(reader, tables, metadataSchema);
  const reference = `${schema.name}@${schema.revision}`;
  await validator.validate(reference, schema.schema, metadata);
  return { ...described, metadataSchema: reference };
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
  const prepare = async () => {
    const finalized = { by: actor, at: formatTime(instance.clock()) };
    return finalizePackage(await draftManifest(database.reader, packageId, finalized));
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await prepareAndRun(instance, actor, prepare, idempotent);
    } catch (error) {
      if (!isStoreError(error, "package_changed") || attempt >= finalizeAttempts) throw error;
    }
  }
}
