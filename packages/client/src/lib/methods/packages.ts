import {
  decodeHold,
  decodePackage,
  decodePackageSummary,
  decodeResolved,
  decodeRetention,
  decodeRetentionClass,
  decodeVerifyReport,
  encodeCreatePackage,
  mapPage,
  type CreatePackageInput,
  type HoldInfo,
  type PackageInfo,
  type PackageStatus,
  type PackageSummary,
  type Page,
  type ResolvedPackage,
  type RetentionClass,
  type RetentionInfo,
  type VerifyReport,
} from "@store/api";
import {
  formatReference,
  parseContentAddress,
  type ContentAddress,
  type Reference,
} from "@store/identity";

import type { Caller } from "../http/caller.ts";
import type { KnownPackages } from "./known-packages.ts";
import { idempotency, type MutationOptions } from "./mutation.ts";
import { flag, pageQuery, type PageOptions } from "./paging.ts";

export interface FinalizedPackage {
  readonly package: PackageSummary;
  readonly manifestDigest: ContentAddress;
}

/** Everything given must hold. What narrows a name needs the name, and a name its namespace. */
export interface PackageFilter {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly variant?: string | undefined;
  readonly status?: PackageStatus | undefined;
  /** Only the package that this tag targets. */
  readonly tag?: string | undefined;
  /** The beginning of a word of the namespace or the name. */
  readonly q?: string | undefined;
}

export interface HoldFilter {
  readonly packageId?: string | undefined;
  /** Only holds that were released, or only those that were not. */
  readonly released?: boolean | undefined;
}

/** Packages as wholes, how long they are kept, and what holds them. */
export interface PackageMethods {
  createPackage(input: CreatePackageInput, options?: MutationOptions): Promise<PackageInfo>;
  finalizePackage(packageId: string, options?: MutationOptions): Promise<FinalizedPackage>;
  /** Ends an open package; its files are forgotten. `package_finalized` where it is finalized. */
  abandonPackage(packageId: string, options?: MutationOptions): Promise<void>;
  yankPackage(
    packageId: string,
    options?: MutationOptions & { readonly reason?: string },
  ): Promise<PackageSummary>;
  unyankPackage(packageId: string, options?: MutationOptions): Promise<PackageSummary>;
  getPackage(packageId: string): Promise<PackageInfo>;
  resolve(reference: Reference | string): Promise<ResolvedPackage>;
  /** In order of namespace, name, version precedence, variant. */
  listPackages(filter?: PackageFilter, page?: PageOptions): Promise<Page<PackageSummary>>;
  /** Reads every byte, on the server, and holds it against manifest and log. */
  verifyPackage(
    packageId: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<VerifyReport>;
  listRetentionClasses(): Promise<readonly RetentionClass[]>;
  getRetention(packageId: string): Promise<RetentionInfo>;
  setRetention(
    packageId: string,
    retentionClass: string,
    options?: MutationOptions,
  ): Promise<RetentionInfo>;
  placeHold(packageId: string, reason: string, options?: MutationOptions): Promise<HoldInfo>;
  releaseHold(holdId: string, options?: MutationOptions): Promise<HoldInfo>;
  listHolds(filter?: HoldFilter, page?: PageOptions): Promise<Page<HoldInfo>>;
}

export function packageMethods(caller: Caller, known: KnownPackages): PackageMethods {
  return { ...lifeMethods(caller, known), ...readMethods(caller, known), ...keepMethods(caller) };
}

function lifeMethods({ call }: Caller, known: KnownPackages) {
  return {
    async createPackage(input, options = {}) {
      const { json } = await call("createPackage", {
        body: encodeCreatePackage(input),
        headers: idempotency(options),
      });
      return known.note(decodePackage(json));
    },
    async finalizePackage(packageId, options = {}) {
      const headers = idempotency(options);
      const { json } = await call("finalizePackage", { params: { packageId }, headers });
      const manifestDigest = parseContentAddress(json.manifest_digest);
      return { package: known.note(decodePackageSummary(json.package)), manifestDigest };
    },
    async abandonPackage(packageId, options = {}) {
      await call("deletePackage", {
        params: { packageId },
        query: { status: "open" },
        headers: idempotency(options),
      });
    },
    async yankPackage(packageId, { reason, ...options } = {}) {
      const { json } = await call("yankPackage", {
        params: { packageId },
        body: { reason },
        headers: idempotency(options),
      });
      return known.note(decodePackageSummary(json));
    },
    async unyankPackage(packageId, options = {}) {
      const headers = idempotency(options);
      const { json } = await call("unyankPackage", { params: { packageId }, headers });
      return known.note(decodePackageSummary(json));
    },
  } satisfies Partial<PackageMethods>;
}

function readMethods({ call }: Caller, known: KnownPackages) {
  return {
    async getPackage(packageId) {
      const { json } = await call("getPackage", { params: { packageId } });
      return known.note(decodePackage(json));
    },
    async resolve(reference) {
      const ref = typeof reference === "string" ? reference : formatReference(reference);
      const { json } = await call("resolve", { query: { ref } });
      const resolved = decodeResolved(json);
      known.note(resolved.package);
      return resolved;
    },
    async listPackages(filter = {}, page = {}) {
      const query = { ...filter, ...pageQuery(page) };
      const { json } = await call("listPackages", { query });
      return mapPage(json, (item) => known.note(decodePackageSummary(item)));
    },
    async verifyPackage(packageId, { signal } = {}) {
      const { json } = await call("verifyPackage", {
        params: { packageId },
        signal,
        isRepeatable: true,
      });
      return decodeVerifyReport(json);
    },
  } satisfies Partial<PackageMethods>;
}

function keepMethods({ call }: Caller) {
  return {
    async listRetentionClasses() {
      const { json } = await call("listRetentionClasses");
      return json.items.map((item) => decodeRetentionClass(item));
    },
    async getRetention(packageId) {
      const { json } = await call("getRetention", { params: { packageId } });
      return decodeRetention(json);
    },
    async setRetention(packageId, retentionClass, options = {}) {
      const { json } = await call("setRetention", {
        params: { packageId },
        body: { class: retentionClass },
        headers: idempotency(options),
      });
      return decodeRetention(json);
    },
    async placeHold(packageId, reason, options = {}) {
      const { json } = await call("placeHold", {
        params: { packageId },
        body: { reason },
        headers: idempotency(options),
      });
      return decodeHold(json);
    },
    async releaseHold(holdId, options = {}) {
      const headers = idempotency(options);
      const { json } = await call("releaseHold", { params: { holdId }, headers });
      return decodeHold(json);
    },
    async listHolds({ packageId, released } = {}, page = {}) {
      const { json } = await call("listHolds", {
        query: { package_id: packageId, released: flag(released), ...pageQuery(page) },
      });
      return mapPage(json, decodeHold);
    },
  } satisfies Partial<PackageMethods>;
}
