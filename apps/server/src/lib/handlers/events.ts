import { formatScope, type Access, type Principal } from "@store/access";
import { encodeEvent, type LogHeadJson, type Routes } from "@store/api";
import type { LogHead, StoredEvent } from "@store/events";
import { isStoreError, StoreError } from "@store/identity";
import { encodeCbor } from "@store/manifest";
import type { EventPage } from "@store/registry";

import { chooseMediaType } from "../http/accept.ts";
import type { BytesReply, Exchange, Handlers } from "../http/handler.ts";
import { serverSentEvents } from "../http/server-sent-events.ts";
import type { EventFollowers } from "../operation/event-followers.ts";
import type { EventLimits } from "../settings.ts";

const mediaTypes = ["application/json", "text/event-stream", "application/cbor-seq"] as const;

/** Read at once for one follower: an event may have a mebibyte, and followers are many. */
const batchSize = 16;

/** Reading the log, and following it. */
export function eventHandlers(
  access: Pick<Access, "authenticate">,
  limits: EventLimits,
  followers: EventFollowers,
): Handlers<"listEvents" | "getLogHead"> {
  const follow = async (exchange: Exchange<Routes["listEvents"]>): Promise<BytesReply> => {
    const since = lastSeen(exchange);
    if (followers.count >= limits.subscribers) throw tooManySubscribers(limits.subscribers);
    const { closing, context, registry } = exchange;
    const caller = callerOf(exchange);
    // Nobody takes the places of all others.
    const ownLimit = Math.max(2, Math.floor(limits.subscribers / 10));
    if (followers.countOf(caller) >= ownLimit) throw tooManyOfOne(ownLimit);
    const follower = followers.enter(caller);
    const { outgoing } = context.env;
    outgoing.once("close", () => follower.leave());
    // Who is gone already is not heard of again.
    if (outgoing.destroyed) follower.leave();
    await assertCanFollow(exchange, since);
    const signal = AbortSignal.any([exchange.signal, closing]);
    const events = registry.tailEvents({ since, signal, batchSize, ...selection(exchange) });
    const followed = follower.follow(about(exchange.query.subject, events));
    const bytes = serverSentEvents(followed, {
      heartbeatMs: limits.heartbeatMs,
      slowMs: limits.slowSubscriberMs,
      refused: () => refusalOf(access, exchange),
    });
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // A proxy that buffers would hold events back.
      "x-accel-buffering": "no",
    };
    return { status: 200, headers, bytes };
  };

  return {
    listEvents: async (exchange) => {
      const mediaType = chooseMediaType(exchange.header("accept"), mediaTypes);
      if (mediaType === "text/event-stream") return await follow(exchange);
      const page = await readPage(exchange);
      if (mediaType === "application/json") {
        const items = page.items.map((event) => encodeEvent(event));
        return { status: 200, json: { items, scanned_to: page.scannedTo, head: page.head } };
      }
      return {
        status: 200,
        headers: {
          "content-type": mediaType,
          "cache-control": "no-store",
          "store-scanned-to": String(page.scannedTo),
          "store-log-head": String(page.head),
        },
        bytes: sequence(page.items),
      };
    },

    getLogHead: async ({ registry }) => ({ status: 200, json: headJson(await registry.head()) }),
  };
}

type Following = Pick<Exchange, "address" | "header" | "principal">;

/** By whom followers are counted: the user, whatever the credential, or where nobody comes from. */
function callerOf({ address, principal: { kind, userId, actor } }: Following): string {
  return kind === "anonymous" ? address : (userId ?? actor);
}

/**
 * Why somebody who follows the log gets no more of it: the credential has ended since, or reads
 * something else than it did.
 */
async function refusalOf(
  access: Pick<Access, "authenticate">,
  { address, header, principal }: Following,
): Promise<StoreError | undefined> {
  if (principal.kind === "anonymous") return undefined;
  try {
    const now = await access.authenticate(header("authorization"), { address });
    return now === principal || scopesOf(now) === scopesOf(principal) ? undefined : otherScopes();
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
}

function scopesOf({ scopes }: Principal): string {
  return scopes.map(formatScope).join(" ");
}

function otherScopes(): StoreError {
  return new StoreError("permission_denied", "The scopes of the caller have changed; resume.");
}

/** The head of the log as JSON. */
export function headJson({ logId, size, root }: LogHead): LogHeadJson {
  return { log_id: logId, size, root: Buffer.from(root).toString("hex") };
}

async function readPage(exchange: Exchange<Routes["listEvents"]>): Promise<EventPage> {
  const { limit, subject } = exchange.query;
  return await exchange.registry.readEvents({
    after: lastSeen(exchange),
    ...selection(exchange),
    ...(limit === undefined ? {} : { limit }),
    ...(subject === undefined ? {} : { subject }),
  });
}

/** Where to begin: a subscriber that comes back says so in a header. */
function lastSeen({ header, query }: Exchange<Routes["listEvents"]>): number {
  const text = header("last-event-id");
  if (text === undefined) return query.since ?? 0;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new StoreError("invalid_argument", "Last-Event-ID must be the seq of an event.", {
    context: { actual: text.slice(0, 80) },
  });
}

/**
 * Refuses what cannot be followed before the answer has begun: what no page could be asked for
 * either, and a place beyond the end of the log.
 */
async function assertCanFollow(
  exchange: Exchange<Routes["listEvents"]>,
  since: number,
): Promise<void> {
  const { subject } = exchange.query;
  const about = subject === undefined ? {} : { subject };
  const query = { after: since, limit: 1, ...selection(exchange), ...about };
  const { head } = await exchange.registry.readEvents(query);
  if (since <= head) return;
  throw new StoreError(
    "invalid_argument",
    `The log has ${head} events and cannot be followed from ${since} on. If it was restored from ` +
      "a backup, read it from the start.",
    { context: { limit: head, actual: since } },
  );
}

function selection({ query }: Exchange<Routes["listEvents"]>): { types?: readonly string[] } {
  return query.type === undefined ? {} : { types: query.type.split(",") };
}

/** The events about a subject and what lies below it, as reading the log selects them. */
async function* about(
  subject: string | undefined,
  events: AsyncIterable<StoredEvent>,
): AsyncGenerator<StoredEvent> {
  for await (const event of events) {
    const [found, wanted] = [event.subject, subject ?? ""];
    const isBelow = found.startsWith(wanted) && /^(?:$|[#/:@])/.test(found.slice(wanted.length));
    if (subject === undefined || isBelow) yield event;
  }
}

/** Events as the log keeps them: a CBOR sequence (RFC 8742) of [header, payload]. */
async function* sequence(events: readonly StoredEvent[]): AsyncGenerator<Uint8Array> {
  for (const { header, payload } of events) yield encodeCbor([header, payload]);
}

function tooManySubscribers(limit: number): StoreError {
  return new StoreError(
    "rate_limited",
    `${limit} subscribers follow the log already, and no more are served; try again in 10 seconds.`,
    // What is told to wait, in seconds.
    { context: { limit: 10 } },
  );
}

function tooManyOfOne(limit: number): StoreError {
  return new StoreError(
    "rate_limited",
    `You follow the log ${limit} times already, and may not more often; end one of them.`,
    { context: { limit: 10 } },
  );
}
