import type { Instance } from "../instance.ts";
import { findCopies, type CopyRow } from "../queries/copies.ts";
import { copyObject } from "./copy-object.ts";
import type { CopyContext } from "./context.ts";
import { countRows, knownObject, selectObjectsAndCopy, type KnownObject } from "./rows.ts";
import type { Stop, VisitTools, Walk } from "./walk.ts";

/** An object, and the copy that the target has of it. */
export interface Lacking extends Stop {
  readonly object: KnownObject;
  readonly copy: CopyRow | null;
}

/** Every object, in order of address: what the target lacks or has damaged is copied to it. */
export function replication(
  { database }: Instance,
  { to, from }: { readonly to: string; readonly from: string | undefined },
): Walk<Lacking> {
  const place = { sql: database.reader, tables: database.tables };
  return {
    name: from === undefined ? `replicate:${to}` : `replicate:${to}:${from}`,
    count: () => countRows(place, undefined),

    page: async (page) => {
      const rows = await selectObjectsAndCopy(place, to, page);
      const stops = rows.map(lackingOf);
      const next = rows.length < page.limit ? undefined : stops.at(-1)?.address;
      return { stops, ...(next === undefined ? {} : { next }) };
    },

    isDone: ({ copy }) => copy?.status === "ok",

    visit: async (context, stop, tools) => {
      if (stop.copy?.status !== "ok") await supply(context, stop, { to, from }, tools);
    },
  };
}

export function lackingOf(row: Awaited<ReturnType<typeof selectObjectsAndCopy>>[number]): Lacking {
  const object = knownObject(row.object);
  return { address: object.address, isLast: true, object, copy: row.copy };
}

/** Copies an object to a backend that lacks it, and counts that. */
export async function supply(
  context: CopyContext,
  { object, copy }: Pick<Lacking, "object" | "copy">,
  { to, from }: { readonly to: string; readonly from: string | undefined },
  { tally, endurance }: VisitTools,
): Promise<void> {
  const rows = await findCopies(context.instance.database.reader, object.address);
  const others = rows.filter(({ backend }) => backend !== to && backend === (from ?? backend));
  const damaged = copy ?? undefined;
  const { outcome, readBytes } = await copyObject(context, { object, to, damaged, others });
  endurance.succeededAt(to);
  const copied = outcome === "recorded" ? 1 : 0;
  tally.add({ sizeBytes: readBytes, changed: copied, copied });
}
