import { contentAddress, Digest, type ContentAddress } from "@store/identity";
import type { StoredEvent } from "@store/events";

import { recordedEvent } from "../events/codec.ts";
import type { EventType } from "../events/types.ts";
import type { Instance } from "../instance.ts";
import { addMilliseconds, formatTime } from "../times.ts";
import type { CopyContext } from "./context.ts";
import { Endurance } from "./endurance.ts";
import { mirrorState, type MirrorState } from "./mirror-state.ts";
import { InOrder } from "./in-order.ts";
import { beginWork, findWork, updateWork, type WorkRow } from "./positions.ts";
import { lackingOf, supply, type Lacking } from "./replicate.ts";
import { selectObjectsAndCopy, selectSomeAndCopy } from "./rows.ts";
import type { Tally } from "./tally.ts";

/** Events, or objects, that one round looks at. */
const atOnce = 256;
const concurrency = 8;
/** How long it is waited before what failed is tried again: longer each time. */
const pausesMs = {
  /** Where a backend fails as a whole; it is not known when it is back. */
  down: { shortest: 5_000, longest: 300_000 },
  /** Where single objects failed. */
  failed: { shortest: 60_000, longest: 3_600_000 },
} as const;
/** Objects that are remembered as failed; beyond them all are walked over again. */
const mostFailed = 1_000;

/** After these events a mirror may lack a whole copy. */
const telling = [
  "v1.file.added",
  "v1.object.damaged",
  "v1.object.removed",
] as const satisfies readonly EventType[];

/** What one round looks at, and where the next begins. */
interface Part {
  readonly lacking: readonly Lacking[];
  readonly position: string;
  readonly state: MirrorState;
  readonly more: boolean;
}

/**
 * One round of bringing a mirror up to date: what failed before and is due again, else a page of all
 * objects, where the mirror is new, else what the next events say. Says whether more can be done at once.
 */
export async function tendMirror(
  context: CopyContext,
  mirror: string,
  tally: Tally,
): Promise<boolean> {
  const { instance } = context;
  const row = await workOf(instance, mirror);
  const state = mirrorState(row.state);
  const now = formatTime(instance.clock());
  const isDue = state.retryAt !== null && state.retryAt <= now;
  if (state.isDown && !isDue) return false;

  const place = { ...context, mirror };
  const seq = Number(row.position);
  const part = await (isDue && !state.isDown
    ? partOfFailed(place, seq, state)
    : state.walked === null
      ? partOfEvents(place, seq, state)
      : partOfAll(place, seq, state, state.walked));
  // Most rounds find nothing, and write nothing.
  if (part.lacking.length === 0 && part.position === row.position && !isDue) {
    if (part.state === state) return false;
  }
  const { failed, isDown } = await supplyAll(context, mirror, part.lacking, tally);
  const next = isDown
    ? { position: row.position, state: paused({ ...state, isDown }, now, pausesMs.down) }
    : { position: part.position, state: remembering(part.state, failed, { isDue, now }) };
  await updateWork(instance, row, next);
  return !isDown && part.more;
}

/** How far the mirror has come; a new one gets all objects, and then what the next events say. */
async function workOf(instance: Instance, mirror: string): Promise<WorkRow> {
  const name = `mirror:${mirror}`;
  const found = await findWork(instance, name);
  if (found !== undefined) return found;
  const { size } = await instance.log.head();
  const fresh = { name, position: String(size), state: mirrorState(undefined) };
  return (await beginWork(instance, fresh, false)).row;
}

type MirrorPlace = CopyContext & { readonly mirror: string };

async function partOfFailed(
  { instance, mirror }: MirrorPlace,
  seq: number,
  state: MirrorState,
): Promise<Part> {
  const position = String(seq);
  if (state.hasMoreFailed) {
    // Too many to remember: all are looked at once more.
    return {
      lacking: [],
      position,
      state: { ...state, failed: [], hasMoreFailed: false, walked: "" },
      more: true,
    };
  }
  const lacking = await lackingAmong(instance, mirror, state.failed);
  return { lacking, position, state: { ...state, failed: [] }, more: true };
}

async function partOfAll(
  { instance: { database }, mirror }: MirrorPlace,
  seq: number,
  state: MirrorState,
  walked: string,
): Promise<Part> {
  const place = { sql: database.reader, tables: database.tables };
  const after = walked === "" ? undefined : walked;
  const rows = await selectObjectsAndCopy(place, mirror, { after, limit: atOnce });
  const stops = rows.map(lackingOf);
  const last = rows.length < atOnce ? undefined : stops.at(-1)?.address;
  return {
    lacking: stops.filter(isLacking),
    position: String(seq),
    state: { ...state, walked: last ?? null },
    more: true,
  };
}

async function partOfEvents(
  { instance, mirror }: MirrorPlace,
  seq: number,
  state: MirrorState,
): Promise<Part> {
  const query = { after: seq, types: telling, limit: atOnce };
  const { events, scannedTo, head } = await instance.log.scan(query);
  const addresses = new Set(events.flatMap((event) => addressIn(instance, event, mirror)));
  return {
    lacking: await lackingAmong(instance, mirror, [...addresses]),
    position: String(scannedTo),
    state,
    more: scannedTo < head,
  };
}

/** The object that the mirror may lack after an event. */
function addressIn(
  { manifestDigest }: Instance,
  stored: StoredEvent,
  mirror: string,
): ContentAddress[] {
  const event = recordedEvent(stored, manifestDigest);
  switch (event?.type) {
    case "v1.file.added":
      return [contentAddress(Digest.of("blake3", event.payload.digests.blake3))];
    case "v1.object.damaged":
    case "v1.object.removed": {
      const { backend, blake3 } = event.payload;
      return backend === mirror ? [contentAddress(Digest.of("blake3", blake3))] : [];
    }
    default:
      return [];
  }
}

async function lackingAmong(
  { database }: Instance,
  mirror: string,
  addresses: readonly string[],
): Promise<Lacking[]> {
  if (addresses.length === 0) return [];
  const place = { sql: database.reader, tables: database.tables };
  const rows = await selectSomeAndCopy(place, mirror, addresses);
  return rows.map(lackingOf).filter(isLacking);
}

function isLacking({ copy }: Lacking): boolean {
  return copy?.status !== "ok";
}

/** Copies what the mirror lacks; says what failed, and whether a backend fails as a whole. */
async function supplyAll(
  context: CopyContext,
  mirror: string,
  lacking: readonly Lacking[],
  tally: Tally,
): Promise<{ readonly failed: readonly ContentAddress[]; readonly isDown: boolean }> {
  const stopped = new AbortController();
  const signal = AbortSignal.any([context.signal, stopped.signal]);
  const endurance = new Endurance(context);
  const failed: ContentAddress[] = [];
  const one = async (stop: Lacking): Promise<void> => {
    try {
      const where = { to: mirror, from: undefined };
      await supply({ ...context, signal }, stop, where, { tally, endurance });
    } catch (error) {
      try {
        const failure = await endurance.bear(error);
        if (failure !== undefined) tally.failed(stop, failure);
        failed.push(stop.address);
      } catch (end) {
        stopped.abort(end);
        throw end;
      }
    }
  };
  try {
    await new InOrder(each(lacking), atOnce, () => undefined).run(concurrency, signal, one);
  } catch (error) {
    context.signal.throwIfAborted();
    if (endurance.endedBy === undefined) throw error;
    return { failed, isDown: true };
  }
  context.signal.throwIfAborted();
  return { failed, isDown: false };
}

async function* each<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

function remembering(
  state: MirrorState,
  failed: readonly string[],
  { isDue, now }: { readonly isDue: boolean; readonly now: string },
): MirrorState {
  const all = [...new Set([...state.failed, ...failed])];
  const next = {
    ...state,
    isDown: false,
    failed: all.slice(0, mostFailed),
    hasMoreFailed: state.hasMoreFailed || all.length > mostFailed,
  };
  if (all.length === 0 && !next.hasMoreFailed) return { ...next, pauses: 0, retryAt: null };
  return isDue || state.retryAt === null ? paused(next, now, pausesMs.failed) : next;
}

function paused(
  state: MirrorState,
  now: string,
  { shortest, longest }: { readonly shortest: number; readonly longest: number },
): MirrorState {
  const pauseMs = Math.min(shortest * 2 ** Math.min(state.pauses, 20), longest);
  return { ...state, pauses: state.pauses + 1, retryAt: addMilliseconds(now, pauseMs) };
}
