import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { openSite, type Served, type Site } from "../served.ts";

/** Servers of one instance, each at an address that it has again after its end. */
export interface Cluster extends AsyncDisposable {
  readonly site: Site;
  readonly urls: readonly string[];
  /** What the first server said at the first start. */
  readonly setupToken: string;
  /** The servers that run now. */
  running(): readonly number[];
  /** Ends a server, and says when it is gone. */
  end(index: number, signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Starts a server; as often as it takes, as a supervisor does. */
  start(index: number): Promise<void>;
  /** The most memory that any of the servers had resident at once, in bytes. */
  peakBytes(): Promise<number>;
  /** What the servers that have ended logged besides requests. */
  readonly log: readonly LogLine[];
  /** Everything that a server should not have done until now. */
  readonly wrong: readonly string[];
  readonly counts: Readonly<Record<"kills" | "stops" | "failedStarts", number>>;
}

/** A line of a log of JSON; its time is RFC 3339 with milliseconds. */
export interface LogLine {
  readonly time: string;
  readonly level: "info" | "error";
  readonly pid: number;
  readonly message: string;
}

/** The message of a line that says that a process has ended. */
export const gone = "gone";

interface Place {
  readonly port: number;
  served: Served | undefined;
}

const startsTried = 40;

export interface ClusterOptions {
  readonly servers: number;
  /** The settings of each. */
  readonly env: Readonly<Record<string, string>>;
  /** What they run, if not the source. */
  readonly program?: string;
}

/** Starts so many servers of one instance, the first of which makes it. */
export async function openCluster({ servers, env, program }: ClusterOptions): Promise<Cluster> {
  const site = await openSite(env, program);
  try {
    const ports = await freePorts(servers);
    const places = ports.map((port): Place => ({ port, served: undefined }));
    const cluster = new RunningCluster(site, places);
    for (const index of places.keys()) await cluster.start(index);
    return cluster;
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

class RunningCluster implements Cluster {
  readonly site: Site;
  readonly urls: readonly string[];
  readonly wrong: string[] = [];
  readonly log: LogLine[] = [];
  readonly counts = { kills: 0, stops: 0, failedStarts: 0 };
  readonly #places: readonly Place[];
  readonly #watch: NodeJS.Timeout;
  setupToken = "";
  #peakBytes = 0;

  constructor(site: Site, places: readonly Place[]) {
    this.site = site;
    this.#places = places;
    this.urls = places.map(({ port }) => `http://127.0.0.1:${port}`);
    this.#watch = setInterval(() => void this.#measure(), 200).unref();
  }

  running(): readonly number[] {
    return [...this.#places.keys()].filter((index) => this.#places[index]?.served !== undefined);
  }

  async end(index: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const place = this.#placeOf(index);
    const { served } = place;
    if (served === undefined) return;
    place.served = undefined;
    await this.#measureOne(served);
    this.counts[signal === "SIGKILL" ? "kills" : "stops"] += 1;
    // What is killed does nothing from here on.
    const killedAt = new Date();
    const { exitCode, stderr } = await served.end(signal);
    this.#hear(served, stderr, signal === "SIGKILL" ? killedAt : new Date());
    if (signal === "SIGTERM" && exitCode !== 0) {
      this.wrong.push(`Server ${index} was stopped and ended with ${exitCode}: ${lastOf(stderr)}`);
    }
  }

  async start(index: number): Promise<void> {
    const place = this.#placeOf(index);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const served = await this.site.serve({ port: place.port });
        place.served = served;
        this.setupToken ||= served.setupToken;
        void served.ended.then(({ exitCode, stderr }) => {
          if (place.served === served)
            this.wrong.push(`It ended by itself: ${exitCode} ${lastOf(stderr)}`);
        });
        return;
      } catch (error) {
        this.counts.failedStarts += 1;
        // The first start is that of an instance whose parts are all there.
        if (attempt === startsTried || this.setupToken === "") throw error;
        await sleep(200);
      }
    }
  }

  async peakBytes(): Promise<number> {
    await this.#measure();
    return this.#peakBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    for (const place of this.#places) place.served = undefined;
    await this.site[Symbol.asyncDispose]();
  }

  #placeOf(index: number): Place {
    const place = this.#places[index];
    if (place === undefined) throw new Error(`There is no server ${index}.`);
    return place;
  }

  #hear({ processId: pid }: Served, stderr: string, goneAt: Date): void {
    for (const text of stderr.split("\n")) {
      if (!text.startsWith("{")) continue;
      const line = JSON.parse(text) as LogLine & { readonly status?: number };
      if (line.status === undefined) this.log.push(line);
    }
    this.log.push({ time: goneAt.toISOString(), level: "info", pid, message: gone });
  }

  async #measure(): Promise<void> {
    await Promise.all(
      this.#places.map(async ({ served }) => served && (await this.#measureOne(served))),
    );
  }

  /** The kernel keeps the peak itself, so looking now and then misses only the very end. */
  async #measureOne({ processId }: Served): Promise<void> {
    const status = await readFile(`/proc/${processId}/status`, "utf8").catch(() => "");
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    this.#peakBytes = Math.max(this.#peakBytes, peak);
  }
}

function lastOf(text: string): string {
  return text.slice(-1000);
}

/** Ports that are free now, all of them different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, "close");
    }),
  );
  return ports;
}
