import type { StoreClient, UploadTarget } from "@store/client";
import type { Registry } from "@store/registry";
import { expectTypeOf, test } from "vitest";

/** What is the same whether the registry is here or behind a server. */
type SameHereAndThere = Pick<
  Registry,
  | "createPackage"
  | "ingestFile"
  | "addFile"
  | "removeFile"
  | "finalizePackage"
  | "abandonPackage"
  | "yankPackage"
  | "unyankPackage"
  | "getPackage"
  | "resolve"
  | "listPackages"
  | "listVersions"
  | "listNames"
  | "listFiles"
  | "statFile"
  | "getManifestBytes"
  | "statObject"
  | "openObject"
  | "listMissing"
  | "setTag"
  | "removeTag"
  | "listTags"
  | "registerMetadataSchema"
  | "getMetadataSchema"
  | "listMetadataSchemas"
  | "listRetentionClasses"
  | "getRetention"
  | "setRetention"
  | "placeHold"
  | "releaseHold"
  | "listHolds"
  | "verifyPackage"
  | "listBackends"
  | "locateObject"
  | "replicateObjects"
  | "verifyObjects"
  | "evacuateObjects"
  | "restoreObject"
  | "sweep"
  | "health"
>;

type Answer<Name extends keyof Registry> = Registry[Name] extends (
  ...input: never[]
) => Promise<infer T>
  ? T
  : never;

test("a client can stand where a registry is wanted", () => {
  expectTypeOf<StoreClient>().toExtend<SameHereAndThere>();
});

test("what a client gives is what a registry gives, but for what does not travel", () => {
  type File = Awaited<ReturnType<StoreClient["getFile"]>>;
  expectTypeOf<File>().toExtend<Omit<Answer<"getFile">, "packageStatus">>();
  type Head = Awaited<ReturnType<StoreClient["head"]>>;
  expectTypeOf<Head>().toEqualTypeOf<Pick<Answer<"head">, "logId" | "size" | "root">>();
  type Events = Awaited<ReturnType<StoreClient["readStoredEvents"]>>;
  expectTypeOf<Events>().toExtend<Answer<"readEvents">>();
  expectTypeOf<StoreClient["readStoredEvents"]>().toExtend<
    (query: { after?: number; limit?: number; types?: readonly string[] }) => unknown
  >();
});

test("files are uploaded to either", () => {
  expectTypeOf<StoreClient>().toExtend<UploadTarget>();
  expectTypeOf<Registry>().toExtend<UploadTarget>();
});
