import type { EventQuery } from "@store/events";

import {
  assertCallback,
  assertFlag,
  assertNumber,
  assertSet,
  assertSignal,
  listOf,
  objectOf,
  optionsOf,
  textOf,
} from "../arguments.ts";
import type { Instance } from "../instance.ts";
import { closedError } from "../lifetime.ts";
import { readEvents, tailEvents } from "../queries/events.ts";
import { checkHealth } from "../operations/health.ts";
import { replayViews } from "../operations/replay.ts";
import { sweep } from "../operations/sweep.ts";
import { verifyPackage } from "../operations/verify.ts";
import type { Registry } from "../registry.ts";
import type { Caller, Scope } from "../scope.ts";
import type { ReplayOptions, VerifyOptions } from "../operations/types.ts";

type Operations = Pick<
  Registry,
  "verifyPackage" | "verifyLog" | "readEvents" | "head" | "replay" | "sweep"
>;

/** What operators do with an instance as a whole. */
export function operations(instance: Instance, { actor, scope }: Caller): Operations {
  const { log } = instance;
  return {
    verifyPackage: async (packageId, options) =>
      verifyPackage(instance, packageId, verifyOptions(options), scope),
    verifyLog: async () => log.verify(),
    readEvents: async (query) => readEvents(log, eventQuery(query), scope),
    head: async () => log.head(),
    replay: async (options) => replayViews(instance, replayOptions(options)),
    sweep: async () => sweep(instance, actor),
  };
}

/** What is answered by a closed instance too, or ends with it by itself. */
export function lifeCycle(
  instance: Instance,
  scope: Scope,
): Pick<Registry, "tailEvents" | "health" | "close"> {
  const { lifetime, log } = instance;
  return {
    tailEvents: (given) => {
      if (lifetime.ended) throw closedError();
      const options = objectOf("options", given);
      assertSignal(options.signal);
      assertNumber("since", options.since);
      assertNumber("batchSize", options.batchSize);
      if (options.types !== undefined) listOf("types", options.types);
      return tailEvents(log, { ...options, signal: lifetime.signalWith(options.signal) }, scope);
    },
    health: async () => checkHealth(instance),
    close: async () => closeInstance(instance),
  };
}

function eventQuery(given: EventQuery): EventQuery {
  const query = objectOf("query", given);
  assertNumber("after", query.after);
  assertNumber("before", query.before);
  assertNumber("limit", query.limit);
  if (query.types !== undefined) listOf("types", query.types);
  if (query.subject !== undefined) textOf("subject", query.subject);
  return query;
}

function verifyOptions(given: VerifyOptions | undefined): VerifyOptions {
  const options = optionsOf(given);
  assertSignal(options.signal);
  assertCallback("onProgress", options.onProgress);
  assertSet("verified", options.verified);
  return options;
}

function replayOptions(given: ReplayOptions | undefined): ReplayOptions {
  const options = optionsOf(given);
  assertFlag("check", options.check);
  assertCallback("onProgress", options.onProgress);
  return options;
}

async function closeInstance(instance: Instance): Promise<void> {
  await instance.lifetime.end();
  instance.uploads.close();
  try {
    await instance.reports.close();
    await instance.validator.close();
    await instance.leases.close();
  } finally {
    if (instance.ownsDatabase) await instance.database.close();
  }
}
