import { parseContentAddress, StoreError, type ContentAddress } from "@store/identity";
import type { RestoreSpeed } from "@store/storage";

import {
  assertFlag,
  assertInteger,
  assertSignal,
  objectOf,
  optionsOf,
  wrongType,
} from "../arguments.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import { namedBackend } from "../copies/context.ts";
import { evacuation } from "../copies/evacuate.ts";
import { listBackends, locate } from "../copies/locate.ts";
import { replication } from "../copies/replicate.ts";
import { restoreObject } from "../copies/restore.ts";
import { tendCopies } from "../copies/tend.ts";
import type { Copies, ObjectWorkOptions } from "../copies/types.ts";
import { verification } from "../copies/verify.ts";
import { walkObjects, type Stop, type Walk } from "../copies/walk.ts";
import type { Instance } from "../instance.ts";
import { closedError } from "../lifetime.ts";
import { findReadableObject, objectInfo } from "../queries/readable-objects.ts";
import type { Caller } from "../scope.ts";
import { formatTime } from "../times.ts";

type Walks = Pick<Copies, "replicateObjects" | "verifyObjects" | "evacuateObjects">;

/** What can be done with the copies of objects, one call an answer. */
export function copyMethods(instance: Instance, caller: Caller): Omit<Copies, keyof Walks> {
  const find = (address: ContentAddress) => {
    const { sql, tables } = { sql: instance.database.reader, tables: instance.database.tables };
    const view = { sql, tables, now: formatTime(instance.clock()) };
    return findReadableObject(view, caller, parseContentAddress(address));
  };
  return {
    locateObject: async (address) => locate(instance, await find(address)),
    listBackends: async () => listBackends(instance),

    restoreObject: async (address, given, mutation) => {
      const { days, speed = "standard", backend } = objectOf("options", given);
      const { idempotencyKey } = optionsOf(mutation);
      assertInteger("days", days, 1, 365);
      assertSpeed(speed);
      if (backend !== undefined) namedBackend(instance, "restore from", backend);
      const digest = await find(address);
      const asked = { address: objectInfo(digest).address, days, speed, backend };
      const idempotent = idempotentRequest(idempotencyKey, "restoreObject", asked);
      const request = { digest, days, speed, backend };
      return restoreObject(instance, caller.actor, request, idempotent);
    },

    tendCopies: async (given) => {
      const { signal } = optionsOf(given);
      assertSignal(signal);
      const ending = instance.lifetime.signalWith(signal);
      try {
        return await tendCopies(instance, caller.actor, ending);
      } catch (error) {
        if (!ending.aborted) throw error;
        const message = "Tending the copies was given up: its signal was aborted.";
        const aborted = new StoreError("aborted", message, { cause: ending.reason });
        throw instance.lifetime.reasonOf(aborted);
      }
    },
  };
}

/** The walks over copies, which end with the instance by themselves. */
export function copyWalks(instance: Instance, { actor }: Caller): Walks {
  const { lifetime, placement } = instance;
  const walk = <At extends Stop>(made: Walk<At>, options: ObjectWorkOptions) =>
    walkObjects(instance, actor, made, options);
  return {
    replicateObjects: (given) => {
      if (lifetime.ended) throw closedError();
      const options = objectOf("options", given);
      const { to, from } = options;
      assertWorkOptions(options);
      namedBackend(instance, "copy to", to);
      if (from !== undefined) namedBackend(instance, "copy from", from);
      if (from === to) throw sameBackend(to);
      return walk(replication(instance, { to, from }), options);
    },

    verifyObjects: (given) => {
      if (lifetime.ended) throw closedError();
      const options = optionsOf(given);
      const { backend } = options;
      assertWorkOptions(options);
      if (backend !== undefined) namedBackend(instance, "verify", backend);
      return walk(verification(instance, backend), options);
    },

    evacuateObjects: (given) => {
      if (lifetime.ended) throw closedError();
      const options = objectOf("options", given);
      const { from, to = placement.primary } = options;
      assertWorkOptions(options);
      namedBackend(instance, "evacuate", from);
      namedBackend(instance, "copy to", to);
      assertNotInUse(instance, from);
      if (from === to) throw sameBackend(to);
      return walk(evacuation(instance, { from, to }), options);
    },
  };
}

function assertWorkOptions({ concurrency, restart, signal }: ObjectWorkOptions): void {
  assertFlag("restart", restart);
  assertSignal(signal);
  if (concurrency !== undefined) assertInteger("concurrency", concurrency, 1, 64);
}

const speeds: readonly RestoreSpeed[] = ["expedited", "standard", "bulk"];

function assertSpeed(speed: unknown): void {
  if (speeds.some((one) => one === speed)) return;
  throw wrongType("speed", speeds.join(" or "), speed);
}

function assertNotInUse({ placement }: Instance, from: string): void {
  const use = placement.primary === from ? "the primary" : "a mirror";
  if (placement.primary !== from && !placement.mirrors.includes(from)) return;
  throw new StoreError(
    "invalid_argument",
    `The backend "${from}" is ${use}, to which new objects would go while it is emptied. ` +
      "Change the placement first, everywhere that the instance runs.",
    { context: { actual: from } },
  );
}

function sameBackend(name: string): StoreError {
  return new StoreError(
    "invalid_argument",
    `Objects cannot be copied from the backend "${name}" to itself. Name two.`,
    { context: { actual: name } },
  );
}
