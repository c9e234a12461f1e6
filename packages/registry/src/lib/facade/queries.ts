import { assertFilePath } from "@store/identity";
import { toJcs } from "@store/manifest";
import { serveObject } from "@store/storage";

import { findRetention } from "../commands/retention.ts";
import { fileNotFound } from "../commands/file.ts";
import type { Instance } from "../instance.ts";
import { findFile, findFinalizedPackage, findPackage } from "../queries/find.ts";
import { listFiles } from "../queries/files.ts";
import { listNames, listPackages, listVersions } from "../queries/packages.ts";
import { resolveReference } from "../queries/resolve.ts";
import { listHolds, listRetentionClasses } from "../queries/retention.ts";
import { getMetadataSchema, listMetadataSchemas } from "../queries/schemas.ts";
import { listTags } from "../queries/tags.ts";
import { manifestBytes } from "../queries/manifest.ts";
import type { Registry } from "../registry.ts";
import { fileInfo, packageInfo, retentionInfo } from "../queries/rows.ts";

type Queries = Pick<
  Registry,
  | "getPackage"
  | "resolve"
  | "listPackages"
  | "listVersions"
  | "listNames"
  | "listFiles"
  | "statFile"
  | "getFile"
  | "getManifestBytes"
  | "listTags"
  | "getMetadataSchema"
  | "listMetadataSchemas"
  | "listRetentionClasses"
  | "getRetention"
  | "listHolds"
>;

/** What can be asked; all of it reads apart from the writer. */
export function queries({ database, log, primary }: Instance): Queries {
  const { reader, tables } = database;
  const statFile = async (packageId: string, path: string) => {
    assertFilePath(path);
    const row = await findPackage(reader, packageId);
    const file = await findFile(reader, packageId, path);
    if (file === undefined) throw fileNotFound(row, path);
    return fileInfo(file);
  };
  return {
    getPackage: async (packageId) => packageInfo(await findPackage(reader, packageId)),
    resolve: (reference) => resolveReference(reader, tables, reference),
    listPackages: (filter, page) => listPackages(reader, tables, filter, page),
    listVersions: (namespace, name, page) => listVersions(reader, tables, namespace, name, page),
    listNames: (filter, page) => listNames(reader, tables, filter, page),
    listFiles: async (packageId, page) => {
      await findPackage(reader, packageId);
      return listFiles(reader, tables, packageId, page);
    },
    statFile,
    getFile: async (packageId, path, options = {}) => {
      const file = await statFile(packageId, path);
      const { body, verified, range } = await serveObject(primary, file.address, options);
      return { file, body, verified, range };
    },
    getManifestBytes: async (packageId, form) => {
      const bytes = await manifestBytes(log, await findFinalizedPackage(reader, packageId));
      return form === "cbor" ? bytes : toJcs(bytes);
    },
    listTags: (namespace, name, page) => listTags(reader, tables, namespace, name, page),
    getMetadataSchema: (reference) => getMetadataSchema(reader, tables, reference),
    listMetadataSchemas: (page) => listMetadataSchemas(reader, tables, page),
    listRetentionClasses: () => listRetentionClasses(reader, tables),
    getRetention: async (packageId) => {
      await findFinalizedPackage(reader, packageId);
      return retentionInfo(await findRetention(reader, tables, packageId));
    },
    listHolds: (filter, page) => listHolds(reader, tables, filter, page),
  };
}
