import {
  decodeCreatePackage,
  encodeHold,
  encodePackage,
  encodePackageSummary,
  encodeRetention,
  encodeRetentionClass,
  encodeVerifyReport,
  mapPage,
  present,
} from "@store/api";
import { isStoreError } from "@store/identity";
import type { MutationOptions, Registry } from "@store/registry";

import type { Handlers } from "../http/handler.ts";
import { mutationOptions } from "../http/mutation-options.ts";

type PackageRoutes =
  | "createPackage"
  | "listPackages"
  | "getPackage"
  | "deletePackage"
  | "finalizePackage"
  | "yankPackage"
  | "unyankPackage"
  | "verifyPackage";

/** Packages as wholes. */
export function packageHandlers(): Handlers<PackageRoutes> {
  return {
    createPackage: async (exchange) => {
      const { registry, body } = exchange;
      const made = await registry.createPackage(
        decodeCreatePackage(body),
        mutationOptions(exchange),
      );
      const location = `/api/v1/packages/${made.id}`;
      return { status: 201, json: encodePackage(made), headers: { location } };
    },

    listPackages: async ({ registry, query }) => {
      const { cursor, limit, ...filter } = query;
      const page = await registry.listPackages(filter, present({ cursor, limit }));
      return { status: 200, json: mapPage(page, encodePackageSummary) };
    },

    getPackage: async ({ registry, params }) => ({
      status: 200,
      json: encodePackage(await registry.getPackage(params.packageId)),
    }),

    deletePackage: async (exchange) => {
      const { registry, params, query } = exchange;
      const { packageId } = params;
      const options = mutationOptions(exchange);
      if (query.status === "open") await registry.abandonPackage(packageId, options);
      else await endPackage(registry, packageId, options);
      return { status: 204 };
    },

    finalizePackage: async (exchange) => {
      const { registry, params } = exchange;
      const finalized = await registry.finalizePackage(params.packageId, mutationOptions(exchange));
      return {
        status: 200,
        json: {
          package: encodePackageSummary(finalized.package),
          manifest_digest: finalized.manifestDigest,
        },
      };
    },

    yankPackage: async (exchange) => {
      const { registry, params, body } = exchange;
      const { reason } = body;
      const yanked = await registry.yankPackage(params.packageId, {
        ...mutationOptions(exchange),
        ...(reason === undefined ? {} : { reason }),
      });
      return { status: 200, json: encodePackageSummary(yanked) };
    },

    unyankPackage: async (exchange) => {
      const { registry, params } = exchange;
      const { packageId } = params;
      const unyanked = await registry.unyankPackage(packageId, mutationOptions(exchange));
      return { status: 200, json: encodePackageSummary(unyanked) };
    },

    verifyPackage: async ({ registry, params, signal }) => {
      const report = await registry.verifyPackage(params.packageId, { signal });
      return { status: 200, json: encodeVerifyReport(report) };
    },
  };
}

/** Abandons a package, or yanks it where it was finalized before. */
async function endPackage(
  registry: Registry,
  packageId: string,
  options: MutationOptions,
): Promise<void> {
  try {
    await registry.abandonPackage(packageId, options);
  } catch (error) {
    if (!isStoreError(error, "package_finalized")) throw error;
    // One that is yanked stays so, for the reason that was given then.
    const { status } = await registry.getPackage(packageId);
    if (status !== "yanked") await registry.yankPackage(packageId, options);
  }
}

type RetentionRoutes =
  | "getRetention"
  | "setRetention"
  | "placeHold"
  | "listHolds"
  | "releaseHold"
  | "listRetentionClasses";

/** How long packages are kept, and what keeps them longer. */
export function retentionHandlers(): Handlers<RetentionRoutes> {
  return {
    getRetention: async ({ registry, params }) => ({
      status: 200,
      json: encodeRetention(await registry.getRetention(params.packageId)),
    }),

    setRetention: async (exchange) => {
      const { registry, params, body } = exchange;
      const { packageId } = params;
      const options = mutationOptions(exchange);
      const retention = await registry.setRetention(packageId, body.class, options);
      return { status: 200, json: encodeRetention(retention) };
    },

    placeHold: async (exchange) => {
      const { registry, params, body } = exchange;
      const options = mutationOptions(exchange);
      const hold = await registry.placeHold(params.packageId, body.reason, options);
      return { status: 201, json: encodeHold(hold) };
    },

    listHolds: async ({ registry, query }) => {
      const { package_id: packageId, released, cursor, limit } = query;
      const filter = { packageId, released };
      const page = await registry.listHolds(filter, present({ cursor, limit }));
      return { status: 200, json: mapPage(page, encodeHold) };
    },

    releaseHold: async (exchange) => {
      const { registry, params } = exchange;
      const hold = await registry.releaseHold(params.holdId, mutationOptions(exchange));
      return { status: 200, json: encodeHold(hold) };
    },

    listRetentionClasses: async ({ registry }) => {
      const classes = await registry.listRetentionClasses();
      return { status: 200, json: { items: classes.map((one) => encodeRetentionClass(one)) } };
    },
  };
}
