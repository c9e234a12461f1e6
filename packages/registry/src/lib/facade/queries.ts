import { assertFilePath, assertNamespace, StoreError } from "@store/identity";
import { toJcs } from "@store/manifest";

import {
  assertFlag,
  assertFullName,
  assertPackageFilter,
  isId,
  optionsOf,
  referenceOf,
  shown,
  textOf,
} from "../arguments.ts";
import { readHold } from "../commands/hold.ts";
import type { Instance } from "../instance.ts";
import { listFiles } from "../queries/files.ts";
import {
  findFinalizedPackage,
  findPackage,
  findPackageFile,
  findWholePackage,
} from "../queries/find.ts";
import { manifestBytes } from "../queries/manifest.ts";
import { listNames } from "../queries/names.ts";
import { listPackages, listVersions } from "../queries/packages.ts";
import { resolveReference } from "../queries/resolve.ts";
import { findRetention, listHolds, listRetentionClasses } from "../queries/retention.ts";
import { fileInfo, packageInfo, retentionInfo, schemaInfo } from "../queries/rows.ts";
import { listMetadataSchemas, requireSchema } from "../queries/schemas.ts";
import { listTags } from "../queries/tags.ts";
import { mayPresign, presign, presignOptions } from "../placement/presigning.ts";
import { readObject } from "../placement/reading.ts";
import type { Registry } from "../registry.ts";
import type { Scope } from "../scope.ts";
import { readOptions } from "./read-options.ts";

type PackageQueries = Pick<
  Registry,
  "getPackage" | "resolve" | "listPackages" | "listVersions" | "listNames" | "getManifestBytes"
>;

/** What can be asked about packages; all of it reads apart from the writer. */
export function packageQueries({ database, log }: Instance, scope: Scope): PackageQueries {
  const { lists, reader, tables } = database;
  return {
    getPackage: async (packageId) => {
      const { metadata, ...row } = await findWholePackage(reader, packageId, scope);
      return packageInfo(row, metadata);
    },

    resolve: async (reference) => resolveReference(reader, tables, referenceOf(reference), scope),

    listPackages: async (given, page) => {
      const filter = optionsOf(given, "filter");
      assertPackageFilter(filter);
      return listPackages(lists, tables, filter, optionsOf(page), scope);
    },

    listVersions: async (namespace, name, page) => {
      assertFullName({ namespace, name });
      return listVersions(lists, tables, { namespace, name }, optionsOf(page), scope);
    },

    listNames: async (given, page) => {
      const filter = optionsOf(given, "filter");
      if (filter.namespace !== undefined) assertNamespace(filter.namespace);
      return listNames(lists, tables, filter, optionsOf(page), scope);
    },

    getManifestBytes: async (packageId, form) => {
      if (form !== "cbor" && form !== "jcs") throw unknownForm(form);
      const row = await findFinalizedPackage(reader, packageId, scope);
      const bytes = await manifestBytes(log, row);
      return form === "cbor" ? bytes : toJcs(bytes);
    },
  };
}

type FileQueries = Pick<Registry, "listFiles" | "statFile" | "getFile" | "presignFile">;

/** What can be asked about the files of a package. */
export function fileQueries(instance: Instance, scope: Scope): FileQueries {
  const { reader } = instance.database;
  const requireFile = async (packageId: string, path: string) => {
    assertFilePath(path);
    const row = await findPackageFile(reader, { packageId, path }, scope);
    return { file: fileInfo(row), packageStatus: row.status };
  };
  return {
    listFiles: async (packageId, page) => {
      await findPackage(reader, packageId, scope);
      // Not of a replica: who has just finalized a package would find some of its files missing.
      return listFiles(reader, packageId, optionsOf(page));
    },

    statFile: async (packageId, path) => (await requireFile(packageId, path)).file,

    getFile: async (packageId, path, options) => {
      const reading = readOptions(options);
      const { file, packageStatus } = await requireFile(packageId, path);
      const { body, ...served } = await readObject(instance, file, reading);
      return { file, packageStatus, body, verified: served.verified, range: served.range };
    },

    presignFile: async (packageId, path, options) => {
      const wanted = presignOptions(options);
      const { file } = await requireFile(packageId, path);
      if (!mayPresign(instance)) return undefined;
      const { mediaType } = file;
      return presign(instance, file, {
        ...(mediaType === undefined ? {} : { mediaType }),
        ...wanted,
      });
    },
  };
}

type CatalogQueries = Pick<
  Registry,
  | "listTags"
  | "getMetadataSchema"
  | "listMetadataSchemas"
  | "listRetentionClasses"
  | "getRetention"
  | "getHold"
  | "listHolds"
>;

/** What can be asked about what stands around packages: tags, schemas, retention and holds. */
export function catalogQueries(
  { database: { lists, reader, tables } }: Instance,
  scope: Scope,
): CatalogQueries {
  return {
    listTags: async (namespace, name, page) => {
      assertFullName({ namespace, name });
      return listTags(lists, tables, { namespace, name }, optionsOf(page), scope);
    },

    getMetadataSchema: async (reference) =>
      schemaInfo(await requireSchema(reader, tables, reference)),

    listMetadataSchemas: async (page) => listMetadataSchemas(lists, tables, optionsOf(page)),

    listRetentionClasses: async () => listRetentionClasses(reader, tables),

    getRetention: async (packageId) => {
      await findFinalizedPackage(reader, packageId, scope);
      return retentionInfo(await findRetention(reader, packageId));
    },

    getHold: async (holdId) => readHold(reader, textOf("hold id", holdId), scope),

    listHolds: async (given, page) => {
      const { packageId, released } = optionsOf(given, "filter");
      assertFlag("released", released);
      const options = optionsOf(page);
      if (packageId !== undefined && !isId("package id", packageId)) return { items: [] };
      return listHolds(lists, tables, { packageId, released }, options, scope);
    },
  };
}

function unknownForm(form: unknown): StoreError {
  return new StoreError(
    "invalid_argument",
    `A manifest has the forms "cbor" and "jcs", and no form ${shown(form)}.`,
    { context: { actual: shown(form) } },
  );
}
