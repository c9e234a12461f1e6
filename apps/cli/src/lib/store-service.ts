import { encodeEvent, type EventJson } from "@store/api";
import type { FileInfo, Registry, ReplayOptions } from "@store/registry";

/** What an instance on this machine and a server do alike. */
type Shared = Pick<
  Registry,
  | "abandonPackage"
  | "addFile"
  | "createPackage"
  | "evacuateObjects"
  | "finalizePackage"
  | "getManifestBytes"
  | "getMetadataSchema"
  | "getPackage"
  | "getRetention"
  | "health"
  | "ingestFile"
  | "listBackends"
  | "listFiles"
  | "listHolds"
  | "listMetadataSchemas"
  | "listMissing"
  | "listNames"
  | "listPackages"
  | "listRetentionClasses"
  | "listTags"
  | "listVersions"
  | "locateObject"
  | "placeHold"
  | "registerMetadataSchema"
  | "releaseHold"
  | "removeTag"
  | "replicateObjects"
  | "resolve"
  | "restoreObject"
  | "setRetention"
  | "setTag"
  | "statFile"
  | "sweep"
  | "unyankPackage"
  | "verifyObjects"
  | "verifyPackage"
  | "yankPackage"
>;

/** A file that is read; `verified` as `Registry.getFile` has it. */
export interface ReadFile {
  readonly file: FileInfo;
  readonly verified: "whole" | "none";
  readonly body: AsyncIterable<Uint8Array>;
}

/** How a table of the views differs from what the log gives. */
export interface Difference {
  readonly table: string;
  readonly count: number;
  readonly sample: readonly {
    readonly key: Row;
    readonly live?: Row | undefined;
    readonly rebuilt?: Row | undefined;
  }[];
}

export type Row = Readonly<Record<string, string | number | null>>;

/**
 * What commands work with, so that each is written once: an instance on this machine, or a server,
 * whose client is such a service.
 */
export interface StoreService extends Shared {
  getFile(
    packageId: string,
    path: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ReadFile>;
  readEvents(query: {
    readonly after: number;
    readonly limit: number;
    readonly types?: readonly string[];
  }): Promise<{ readonly items: readonly EventJson[]; readonly scannedTo: number }>;
  tailEvents(options: {
    readonly since: number;
    readonly signal: AbortSignal;
    readonly types?: readonly string[];
  }): AsyncIterable<EventJson>;
  head(): Promise<{ readonly size: number }>;
  verifyLog(): Promise<{ readonly size: number }>;
  /** A server does not tell how far it is. */
  replay(
    options?: ReplayOptions,
  ): Promise<{ readonly events: number; readonly differences: readonly Difference[] }>;
}

/** The service of an instance on this machine. */
export function localStore(registry: Registry): StoreService {
  return {
    ...registry,
    async readEvents(query) {
      const { items, scannedTo } = await registry.readEvents(query);
      return { items: items.map((event) => encodeEvent(event)), scannedTo };
    },
    async *tailEvents(options) {
      for await (const event of registry.tailEvents(options)) yield encodeEvent(event);
    },
  };
}
