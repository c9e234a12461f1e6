import {
  decodeBackend,
  decodeObjectLocations,
  present,
  type BackendInfo,
  type ObjectLocations,
  type ObjectWorkProgress,
} from "@store/api";
import type { ContentAddress } from "@store/identity";

import type { Caller } from "../http/caller.ts";
import { idempotency, type MutationOptions } from "./mutation.ts";
import { objectWork, type ObjectWorkOptions } from "./object-work.ts";

export interface ReplicateObjectsOptions extends ObjectWorkOptions {
  /** The backend that gets a whole copy of every object. */
  readonly to: string;
  /** The backend to copy from; any that has a whole copy, in read order, unless given. */
  readonly from?: string;
}

export interface VerifyObjectsOptions extends ObjectWorkOptions {
  /** The backend whose copies are read; those of every configured one unless given. */
  readonly backend?: string;
}

export interface EvacuateObjectsOptions extends ObjectWorkOptions {
  /** The backend that is emptied; not the primary one. */
  readonly from: string;
  /** Where objects are copied that have no other whole copy; the primary unless given. */
  readonly to?: string;
}

export interface RestoreObjectOptions {
  /** Whole days for which the object can be read once it is restored, 1 to 365. */
  readonly days: number;
  /** Default: `standard`. */
  readonly speed?: "expedited" | "standard" | "bulk";
  /** The backend whose copy is asked for; every archived copy unless given. */
  readonly backend?: string;
}

/**
 * Where objects are, and what is done with their copies at several backends.
 *
 * The three walks are done by the server, for as long as the loop over their progress goes on. Where
 * the connection breaks, or the server goes down, they are gone on with where they were.
 */
export interface CopyMethods {
  listBackends(): Promise<readonly BackendInfo[]>;
  /** Where an object is, by either digest. */
  locateObject(address: ContentAddress): Promise<ObjectLocations>;
  /** Copies to a backend what it lacks, or holds damaged. */
  replicateObjects(options: ReplicateObjectsOptions): AsyncIterable<ObjectWorkProgress>;
  /** Reads every copy whole and holds it against both digests of its object. */
  verifyObjects(options?: VerifyObjectsOptions): AsyncIterable<ObjectWorkProgress>;
  /** Empties a backend: each of its copies is removed once another one is whole. */
  evacuateObjects(options: EvacuateObjectsOptions): AsyncIterable<ObjectWorkProgress>;
  /** Asks the archives for an object, so that it can be read some minutes or hours later. */
  restoreObject(
    address: ContentAddress,
    options: RestoreObjectOptions,
    mutation?: MutationOptions,
  ): Promise<ObjectLocations>;
}

export function copyMethods(caller: Caller): CopyMethods {
  const { call } = caller;
  return {
    async listBackends() {
      const { json } = await call("listBackends");
      return json.items.map(decodeBackend);
    },
    async locateObject(address) {
      const { json } = await call("locateObject", { params: { address } });
      return decodeObjectLocations(json);
    },
    replicateObjects: ({ to, from, ...options }) =>
      objectWork(caller, "replicateObjects", present({ to, from }), options),
    verifyObjects: ({ backend, ...options } = {}) =>
      objectWork(caller, "verifyObjects", present({ backend }), options),
    evacuateObjects: ({ from, to, ...options }) =>
      objectWork(caller, "evacuateObjects", present({ from, to }), options),
    async restoreObject(address, { days, speed, backend }, mutation = {}) {
      const { json } = await call("restoreObject", {
        params: { address },
        body: present({ days, speed, backend }),
        headers: idempotency(mutation),
      });
      return decodeObjectLocations(json);
    },
  };
}
