import type { Transport, TransportAnswer } from "@store/client";
import type { NodeTransport } from "@store/client/node";

import type { Trouble } from "./reports.ts";

export interface Roaming {
  /** Any of a cluster's servers stands in the URL of a request. */
  readonly transport: Transport;
  /** What went wrong on the way, in the order of time; the first so many. */
  readonly troubles: readonly Trouble[];
}

const troublesTold = 5000;

/**
 * Sends each request to a server that is drawn by lot. One that is away is left alone for a moment:
 * the client's own attempt that follows goes elsewhere.
 */
export function roamingTransport(
  connections: NodeTransport,
  urls: readonly string[],
  random: () => number,
): Roaming {
  const troubles: Trouble[] = [];
  const awayUntil = new Map<string, number>();
  const tell = (trouble: Omit<Trouble, "at">) => {
    if (troubles.length < troublesTold) troubles.push({ at: Date.now(), ...trouble });
    awayUntil.set(trouble.url, performance.now() + 300);
  };
  const choose = () => {
    const near = urls.filter((url) => (awayUntil.get(url) ?? 0) < performance.now());
    const among = near.length === 0 ? urls : near;
    return among[Math.floor(random() * among.length)] ?? "";
  };
  const transport: Transport = async (request) => {
    const url = choose();
    const { pathname, search } = new URL(request.url);
    let answer: TransportAnswer;
    try {
      answer = await connections({ ...request, url: `${url}${pathname}${search}` });
    } catch (error) {
      tell({ url, what: "no answer", why: reasonOf(error) });
      throw error;
    }
    const { status, headers } = answer;
    if (status < 500) return { ...answer, body: watched(answer.body, url, tell) };
    const retryAfter = headers.get("retry-after") ?? undefined;
    const why = `${request.method} ${pathname}`;
    tell({ url, what: "status", status, why, ...(retryAfter ? { retryAfter } : {}) });
    // Who has another server to go to need not wait for this one.
    return {
      ...answer,
      headers: { get: (name) => (name === "retry-after" ? null : headers.get(name)) },
    };
  };
  return { transport, troubles };
}

async function* watched(
  body: AsyncIterable<Uint8Array>,
  url: string,
  tell: (trouble: Omit<Trouble, "at">) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    tell({ url, what: "cut off", why: reasonOf(error) });
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.message;
}
