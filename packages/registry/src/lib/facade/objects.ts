import { parseContentAddress, type ContentAddress } from "@store/identity";

import { assertInteger, listOf } from "../arguments.ts";
import type { Instance } from "../instance.ts";
import { limits } from "../limits.ts";
import { findReadableObject, listUnreadable, objectInfo } from "../queries/readable-objects.ts";
import { mayPresign, presign, presignOptions } from "../placement/presigning.ts";
import { readObject } from "../placement/reading.ts";
import type { Registry } from "../registry.ts";
import type { Caller } from "../scope.ts";
import { formatTime } from "../times.ts";
import { readOptions } from "./read-options.ts";

type ObjectQueries = Pick<Registry, "statObject" | "openObject" | "presignObject" | "listMissing">;

/** What can be asked about objects, whatever package they are of. */
export function objectQueries(instance: Instance, caller: Caller): ObjectQueries {
  const { database } = instance;
  const view = () => ({
    sql: database.reader,
    tables: database.tables,
    now: formatTime(instance.clock()),
  });
  const statObject = async (address: ContentAddress) =>
    objectInfo(await findReadableObject(view(), caller, parseContentAddress(address)));
  return {
    statObject,

    openObject: async (address, options) => {
      const reading = readOptions(options);
      const object = await statObject(address);
      const { body, ...served } = await readObject(instance, object, reading);
      return { object, body, verified: served.verified, range: served.range };
    },

    presignObject: async (address, options) => {
      const wanted = presignOptions(options);
      const object = await statObject(address);
      return mayPresign(instance) ? presign(instance, object, wanted) : undefined;
    },

    listMissing: async (addresses) => {
      const { length } = listOf("addresses", addresses);
      assertInteger("number of addresses", length, 0, limits.addressesAtOnce);
      // Not `map`, which would leave the holes of an array as they are.
      const parsed = Array.from(addresses, (address) => parseContentAddress(address));
      return listUnreadable(view(), caller, parsed);
    },
  };
}
