import { createHash } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { randomOf } from "../load/contents.ts";
import type { SubscriberReport } from "./reports.ts";

export interface SubscriberOptions {
  readonly urls: readonly string[];
  readonly token: string;
  /** It begins after this event. */
  readonly since: number;
  readonly name: string;
  readonly seed: number;
}

const defectsTold = 5;

/**
 * Follows the log as an `EventSource` does: when a connection ends it makes another, to any server,
 * with the id of the last event. It forgives no event that comes twice or out of order.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #random: () => number;
  readonly #stopping = new AbortController();
  readonly #ids = createHash("sha256");
  readonly #defects: string[] = [];
  readonly #running: Promise<void>;
  #last: number;
  #events = 0;
  #connections = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#random = randomOf(options.seed);
    this.#last = options.since;
    this.#running = this.#run();
  }

  /** Waits until an event was seen, for so long at most, and ends. */
  async readUntil(seq: number, patienceMs: number): Promise<SubscriberReport> {
    const until = performance.now() + patienceMs;
    while (this.#last < seq && performance.now() < until) await sleep(50);
    this.#stopping.abort();
    await this.#running;
    return {
      name: this.#options.name,
      since: this.#options.since,
      last: this.#last,
      events: this.#events,
      idsSha256: this.#ids.digest("hex"),
      connections: this.#connections,
      defects: this.#defects,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
      } catch {
        // Whatever ended it: another server goes on.
      }
      await sleep(100 * this.#random());
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { urls, token } = this.#options;
    const url = urls[Math.floor(this.#random() * urls.length)] ?? "";
    const asked = request(`${url}/api/v1/events?since=${this.#options.since}`, {
      agent: false,
      signal,
      headers: {
        accept: "text/event-stream",
        authorization: `Bearer ${token}`,
        ...(this.#last > 0 ? { "last-event-id": `${this.#last}` } : {}),
      },
    });
    asked.end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    if (answer.statusCode !== 200) {
      answer.resume();
      if (answer.statusCode !== 503) this.#defect(`it was answered with ${answer.statusCode}`);
      return;
    }
    this.#connections += 1;
    let rest = "";
    for await (const text of answer.setEncoding("utf8") as AsyncIterable<string>) {
      const frames = `${rest}${text}`.split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) this.#take(frame);
    }
  }

  #take(frame: string): void {
    const fields = new Map<string, string>();
    for (const line of frame.split("\n")) {
      const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) fields.set(name, value);
    }
    const seq = Number(fields.get("id") ?? Number.NaN);
    if (Number.isNaN(seq)) {
      if (fields.size > 0) this.#defect(`it was sent ${frame.slice(0, 200)}`);
      return;
    }
    if (seq !== this.#last + 1) this.#defect(`${seq} came after ${this.#last}`);
    const { id } = JSON.parse(fields.get("data") ?? "{}") as { readonly id?: string };
    this.#ids.update(`${id}\n`);
    this.#events += 1;
    this.#last = seq;
  }

  #defect(what: string): void {
    const { name } = this.#options;
    if (this.#defects.length < defectsTold) this.#defects.push(`${name}: ${what}`);
  }
}
