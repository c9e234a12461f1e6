import { StoreError, type ContentAddress, type DualDigest } from "@store/identity";
import type { ObjectRetrieval, RestoreOptions } from "@store/storage";

import type { Decide } from "../commands/decision.ts";
import type { IdempotentRequest } from "../commands/idempotency.ts";
import { prepareAndRun } from "../commands/run.ts";
import type { NewEvent } from "../events/types.ts";
import type { Instance } from "../instance.ts";
import { findCopies, type CopyRow } from "../queries/copies.ts";
import { objectInfo } from "../queries/readable-objects.ts";
import { objectCopy } from "./locate.ts";
import { restoreEvents, retrievalAfter } from "./recording.ts";
import type { ObjectLocations } from "./types.ts";

/** What is asked of the archives. */
export interface RestoreRequest extends Required<RestoreOptions> {
  readonly digest: DualDigest;
  /** The backend whose copy is asked for; every one that may be in an archive unless given. */
  readonly backend: string | undefined;
}

/** What an archive answered. */
interface Asked {
  readonly backend: string;
  readonly retrieval: ObjectRetrieval;
}

/** Asks the archives that hold an object's copies for it, and records what they answer. */
export function restoreObject(
  instance: Instance,
  actor: string,
  request: RestoreRequest,
  idempotent: IdempotentRequest | undefined,
): Promise<ObjectLocations> {
  const { address } = objectInfo(request.digest);
  const prepare = async (): Promise<Decide<ObjectLocations>> => {
    const rows = await findCopies(instance.database.reader, address);
    const asked: Asked[] = [];
    for (const name of archivesOf(instance, address, rows, request.backend)) {
      const { days, speed } = request;
      const retrieval = await instance.placement.backend(name)?.restore(address, { days, speed });
      if (retrieval !== undefined) asked.push({ backend: name, retrieval });
    }
    return recording(instance, address, request, asked);
  };
  return prepareAndRun(instance, actor, prepare, idempotent);
}

/** The backends to ask, in order of name. */
function archivesOf(
  { placement }: Instance,
  address: ContentAddress,
  rows: readonly CopyRow[],
  only: string | undefined,
): string[] {
  const names = rows.map(({ backend }) => backend).toSorted();
  if (only !== undefined) {
    if (names.includes(only)) return [only];
    throw new StoreError(
      "object_not_found",
      `There is no copy of ${address} at ${only}; there are copies at ${names.join(", ")}.`,
      { context: { reference: address, actual: only, candidates: names } },
    );
  }
  const archives = names.filter((name) => placement.backend(name)?.capabilities.restores === true);
  if (archives.length > 0) return archives;
  throw new StoreError(
    "unsupported",
    `No copy of ${address} is at a backend that has an archive: there are copies at ` +
      `${names.join(", ")}. Read it from there.`,
    { context: { reference: address, candidates: names } },
  );
}

function recording(
  instance: Instance,
  address: ContentAddress,
  { digest, days, speed }: RestoreRequest,
  asked: readonly Asked[],
): Decide<ObjectLocations> {
  return async ({ sql }) => {
    const rows = await findCopies(sql, address);
    const events: NewEvent[] = [];
    const copies = rows
      .toSorted((one, other) => (one.backend < other.backend ? -1 : 1))
      .map((row) => {
        const answered = asked.find(({ backend }) => backend === row.backend);
        if (answered === undefined) return objectCopy(instance, row);
        const { backend, retrieval } = answered;
        const news = restoreEvents({ address, backend }, row, { days, speed, retrieval });
        events.push(...news);
        return objectCopy(instance, news.length > 0 ? retrievalAfter(row, retrieval) : row);
      });
    return { events, answer: () => ({ object: objectInfo(digest), copies }) };
  };
}
