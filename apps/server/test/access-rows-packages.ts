import type { RouteName } from "@store/api";

import type { Fixtures } from "./access-fixtures.ts";
import type { Row } from "./access-rows.ts";

const appParams = { namespace: "acme", name: "app" };

/** Reads the package that nobody changes. */
const readsPublished: Row = {
  ask: ({ published }) => ({ params: { packageId: published } }),
  leaves: "nothing",
};

/** Changes a package that was finalized for it. */
function changesFinalized(body?: unknown): Row {
  return {
    ask: async (fixtures) => ({
      params: { packageId: await fixtures.finalizedPackage() },
      ...(body === undefined ? {} : { body }),
    }),
    leaves: "events",
  };
}

async function yanked(fixtures: Fixtures): Promise<string> {
  const id = await fixtures.finalizedPackage();
  await fixtures.registry.yankPackage(id);
  return id;
}

/** Packages, files, names and tags: what is under a name. */
export const packageRows = {
  createPackage: {
    ask: (fixtures) => ({ body: { ...appParams, version: `0.1.${fixtures.next()}` } }),
    leaves: "events",
  },
  listPackages: { ask: () => ({}), leaves: "nothing" },
  getPackage: readsPublished,
  deletePackage: {
    ask: async (fixtures) => ({ params: { packageId: await fixtures.openPackage() } }),
    leaves: "events",
    // A package that is not there was abandoned before.
    absence: "success",
  },
  finalizePackage: {
    ask: async (fixtures) => ({ params: { packageId: await fixtures.openPackage() } }),
    leaves: "events",
  },
  yankPackage: changesFinalized({ reason: "broken" }),
  unyankPackage: {
    ask: async (fixtures) => ({ params: { packageId: await yanked(fixtures) } }),
    leaves: "events",
  },
  verifyPackage: readsPublished,
  getManifest: readsPublished,
  getTarArchive: readsPublished,
  getTarGzArchive: readsPublished,
  getZipArchive: readsPublished,
  getRetention: readsPublished,
  setRetention: changesFinalized({ class: "audit" }),
  placeHold: changesFinalized({ reason: "a case" }),
  listHolds: { ask: () => ({}), leaves: "nothing" },
  releaseHold: {
    ask: async (fixtures) => {
      const packageId = await fixtures.finalizedPackage();
      const { id } = await fixtures.registry.placeHold(packageId, "a case");
      return { params: { holdId: id } };
    },
    leaves: "events",
    absence: "hold_not_found",
  },

  listFiles: readsPublished,
  putFile: {
    ask: async (fixtures) => ({
      params: { packageId: await fixtures.openPackage(), path: "lib/new" },
      body: Buffer.from("a new file"),
    }),
    leaves: "events",
  },
  getFile: {
    ask: ({ published }) => ({ params: { packageId: published, path: "bin/app" } }),
    leaves: "nothing",
  },
  deleteFile: {
    ask: async (fixtures) => ({
      params: { packageId: await fixtures.openPackage(), path: "bin/app" },
    }),
    leaves: "events",
  },
  getObject: {
    ask: ({ address }) => ({ params: { address } }),
    leaves: "nothing",
    absence: "object_not_found",
  },
  listMissingObjects: {
    ask: ({ address }) => ({ body: { addresses: [address] } }),
    leaves: "nothing",
  },

  resolve: { ask: () => ({ query: "?ref=acme/app@1.0.0" }), leaves: "nothing" },
  listNames: { ask: () => ({}), leaves: "nothing" },
  getName: { ask: () => ({ params: appParams }), leaves: "nothing" },
  // A name under which there is nothing has no versions and no tags.
  listVersions: { ask: () => ({ params: appParams }), leaves: "nothing", absence: "success" },
  listTags: { ask: () => ({ params: appParams }), leaves: "nothing", absence: "success" },
  setTag: {
    ask: (fixtures) => ({
      params: { ...appParams, tag: `tag-${fixtures.next()}` },
      body: { package_id: fixtures.published },
    }),
    leaves: "events",
  },
  removeTag: {
    ask: async (fixtures) => {
      const tag = `tag-${fixtures.next()}`;
      await fixtures.registry.setTag({ packageId: fixtures.published, tag });
      return { params: { ...appParams, tag } };
    },
    leaves: "events",
    absence: "tag_not_found",
  },
} as const satisfies Partial<Record<RouteName, Row>>;
