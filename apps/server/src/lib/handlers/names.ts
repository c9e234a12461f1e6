import {
  encodeName,
  encodePackage,
  encodePackageSummary,
  encodeSchema,
  encodeSchemaSummary,
  encodeTag,
  mapPage,
  present,
  type JsonObject,
} from "@store/api";
import { formatReference, isStoreError, StoreError } from "@store/identity";
import type { PackageInfo, Registry, SetTagOptions } from "@store/registry";

import type { Exchange, Handlers } from "../http/handler.ts";
import { mutationOptions } from "../http/mutation-options.ts";
import { tagCondition } from "../http/tag-condition.ts";

type NameRoutes =
  | "resolve"
  | "listNames"
  | "getName"
  | "listVersions"
  | "listTags"
  | "setTag"
  | "removeTag";

/** Names, versions and tags. */
export function nameHandlers(): Handlers<NameRoutes> {
  return {
    resolve: async ({ registry, query }) => {
      const { reference, package: found, warnings } = await registry.resolve(query.ref);
      return {
        status: 200,
        json: {
          reference: formatReference(reference),
          package: encodePackage(found),
          warnings: [...warnings],
        },
      };
    },

    listNames: async ({ registry, query }) => {
      const { namespace, cursor, limit } = query;
      const page = await registry.listNames({ namespace }, present({ cursor, limit }));
      return { status: 200, json: mapPage(page, encodeName) };
    },

    getName: async ({ registry, params }) => {
      const { namespace, name } = params;
      const [versions, tags, latest] = await Promise.all([
        registry.listVersions(namespace, name),
        registry.listTags(namespace, name),
        latestOf(registry, `${namespace}/${name}`),
      ]);
      if (versions.items.length + tags.items.length === 0) throw nameNotFound(params);
      return {
        status: 200,
        json: {
          namespace,
          name,
          ...(latest === undefined ? {} : { latest: encodePackageSummary(latest) }),
          versions: mapPage(versions, encodePackageSummary),
          tags: mapPage(tags, encodeTag),
        },
      };
    },

    listVersions: async ({ registry, params, query }) => {
      const { namespace, name } = params;
      const page = await registry.listVersions(namespace, name, present(query));
      return { status: 200, json: mapPage(page, encodePackageSummary) };
    },

    listTags: async ({ registry, params, query }) => {
      const { namespace, name } = params;
      const page = await registry.listTags(namespace, name, present(query));
      return { status: 200, json: mapPage(page, encodeTag) };
    },

    setTag: async (exchange) => {
      const { registry, params, body } = exchange;
      const target = { packageId: body.package_id, tag: params.tag };
      await assertIsNamed(registry, target.packageId, params);
      const tag = await registry.setTag(target, tagOptions(exchange));
      return { status: 200, json: encodeTag(tag), headers: { etag: `"${tag.packageId}"` } };
    },

    removeTag: async (exchange) => {
      const { registry, params } = exchange;
      await registry.removeTag(params, tagOptions(exchange));
      return { status: 204 };
    },
  };
}

function tagOptions(exchange: Pick<Exchange, "header">): SetTagOptions {
  return { ...mutationOptions(exchange), ...tagCondition(exchange) };
}

interface FullName {
  readonly namespace: string;
  readonly name: string;
}

function nameNotFound({ namespace, name }: FullName): StoreError {
  const reference = `${namespace}/${name}`;
  return new StoreError("package_not_found", `There is no package of the name ${reference}.`, {
    context: { reference },
  });
}

/** The path says whose tag it is, so a package of another name is none of those that it may have. */
async function assertIsNamed(registry: Registry, packageId: string, path: FullName): Promise<void> {
  const { namespace, name } = await registry.getPackage(packageId);
  if (namespace === path.namespace && name === path.name) return;
  const reference = `${path.namespace}/${path.name}`;
  throw new StoreError(
    "package_not_found",
    `The package ${packageId} is none of ${reference}, but of ${namespace}/${name}.`,
    { context: { reference } },
  );
}

/** What a name alone resolves to; undefined where that is nothing, or several variants. */
async function latestOf(registry: Registry, name: string): Promise<PackageInfo | undefined> {
  try {
    return (await registry.resolve(name)).package;
  } catch (error) {
    const isNone = isStoreError(error, "package_not_found");
    if (isNone || isStoreError(error, "ambiguous_reference")) return undefined;
    throw error;
  }
}

type SchemaRoutes = "registerSchema" | "listSchemas" | "getSchema";

/** The schemas of metadata. */
export function schemaHandlers(): Handlers<SchemaRoutes> {
  return {
    registerSchema: async (exchange) => {
      const { registry, body } = exchange;
      // It came as JSON, and so is JSON.
      const input = { name: body.name, schema: body.schema as JsonObject };
      const schema = await registry.registerMetadataSchema(input, mutationOptions(exchange));
      return { status: 201, json: encodeSchema(schema) };
    },

    listSchemas: async ({ registry, query }) => {
      const page = await registry.listMetadataSchemas(present(query));
      return { status: 200, json: mapPage(page, encodeSchemaSummary) };
    },

    getSchema: async ({ registry, params }) => ({
      status: 200,
      json: encodeSchema(await registry.getMetadataSchema(params.reference)),
    }),
  };
}
