import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClient, type StoreClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { openDatabase, type Database } from "@store/database";
import type { ContentAddress } from "@store/identity";
import { openRegistry, type ObjectWorkProgress, type Registry } from "@store/registry";
import { openBackends, readSettings } from "@store/server/runtime";
import type { StorageBackend } from "@store/storage";
import { startS3Double, type S3Double } from "@store/testing/s3-double";

import { startTestServer, type TestServer } from "./service.ts";

/** How a backend in the double is told in STORE_STORAGE_FILE, besides where it is. */
export interface BucketBackend {
  readonly kind: "s3";
  readonly prefix: string;
  readonly storage_class?: string;
  readonly storage_classes?: Readonly<Record<string, string>>;
  readonly part_bytes?: number;
  /** A profile whose keys are taken instead of the double's own. */
  readonly profile?: string;
}

export interface DiskBackend {
  readonly kind: "local";
  readonly path: string;
}

export interface S3WorldOptions {
  readonly backends: Readonly<Record<string, BucketBackend | DiskBackend>>;
  readonly placement?: object;
  readonly environment?: Readonly<Record<string, string>>;
  /** One that was started for it; it ends with the world. */
  readonly double?: S3Double;
}

/** A server over an instance whose backends STORE_STORAGE_FILE names, in an S3 double and on disk. */
export interface S3World extends AsyncDisposable {
  readonly double: S3Double;
  readonly folder: string;
  readonly registry: Registry;
  readonly server: TestServer;
  /** A client of the server that may do everything. */
  readonly client: StoreClient;
  readonly backends: Readonly<Record<string, StorageBackend>>;
  /** Moves the instance's clock on. */
  advance(ms: number): void;
  /** The same instance under another placement. */
  placed(placement: OpenPlacement): Promise<Registry>;
}

type OpenPlacement = NonNullable<Parameters<typeof openRegistry>[0]["placement"]>;

export async function openS3World(options: S3WorldOptions): Promise<S3World> {
  const stack = new AsyncDisposableStack();
  const double = options.double ?? (await startS3Double());
  stack.defer(() => double.close());
  const folder = await mkdtemp(join(tmpdir(), "store-s3-world-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "storage.json");
  await writeFile(file, storageFile(double, options));
  const { storage } = readSettings({}, { STORE_STORAGE_FILE: file });
  const database = await openDatabase("sqlite::memory:");
  stack.defer(() => database.close());
  await database.migrate();
  const backends = await openBackends(storage, database);
  stack.defer(async () => {
    for (const backend of Object.values(backends)) await backend.close();
  });
  let aheadMs = 0;
  const open = (placement: OpenPlacement, of: Database): Promise<Registry> => {
    const clock = (): number => Date.now() + aheadMs;
    return openRegistry({ database: of, backends, placement, actor: "tester", clock });
  };
  const registry = await open(storage.placement, database);
  stack.defer(() => registry.close());
  const { environment = {} } = options;
  const server = stack.use(await startTestServer({ registry, environment }));
  const transport = nodeTransport();
  stack.defer(() => transport.close());
  const client = createClient({ url: server.url, credential: { token: "owner" }, transport });
  return {
    double,
    folder,
    registry,
    server,
    client,
    backends,
    advance: (ms) => {
      aheadMs += ms;
    },
    placed: async (placement) => {
      const other = await open(placement, database);
      stack.defer(() => other.close());
      return other;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function storageFile(
  { endpoint, region, bucket, credentials }: S3Double,
  { backends, placement }: S3WorldOptions,
): string {
  const place = { bucket, region, endpoint, path_style: true };
  const keys = {
    credentials: {
      access_key_id: credentials.accessKeyId,
      secret_access_key: credentials.secretAccessKey,
    },
  };
  const placed = Object.entries(backends).map(([name, backend]) => {
    if (backend.kind === "local") return [name, backend] as const;
    const own = backend.profile === undefined ? keys : {};
    return [name, { ...place, ...own, ...backend }] as const;
  });
  return JSON.stringify({ backends: Object.fromEntries(placed), ...(placement && { placement }) });
}

/** The key of an object below a prefix; on disk it is the path. */
export function keyOf(prefix: string, address: ContentAddress): string {
  const hex = address.replace("blake3:", "");
  return `${prefix}/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
}

/** What is in the bucket besides objects and the layout: keys, and ids of unfinished uploads. */
export async function leftovers(double: S3Double): Promise<string[]> {
  const keys = (await double.objects()).map(({ key }) => key);
  const uploads = (await double.unfinishedUploads()).map(({ id, key }) => `${id} of ${key}`);
  return [...keys.filter((key) => !/^[^/]+\/(blake3\/|format\.json$)/.test(key)), ...uploads];
}

/** The last progress of a work, with the problems of all. */
export async function finish(work: AsyncIterable<ObjectWorkProgress>): Promise<ObjectWorkProgress> {
  const all = await Array.fromAsync(work);
  const last = all.at(-1);
  if (last === undefined) throw new Error("A work gives progress.");
  return { ...last, problems: all.flatMap(({ problems }) => problems) };
}

/** The copies of an object, each as `backend status tier restore`. */
export async function copiesOf(client: StoreClient, address: ContentAddress): Promise<string[]> {
  const { copies } = await client.locateObject(address);
  return copies.map(({ backend, status, tier, restore }) => {
    return [backend, status, tier, restore].join(" ");
  });
}

/** What the log says of copies and backends, in its order: `damaged primary missing`. */
export async function copyEvents(client: StoreClient): Promise<string[]> {
  const told: string[] = [];
  for (let after = 0; ;) {
    const { items, scannedTo, head } = await client.readEvents({ after, limit: 1_000 });
    for (const { type, payload } of items) {
      if (!/^v1\.(object|backend)\./.test(type)) continue;
      const fields = payload as Readonly<Record<string, string>>;
      const { backend, finding, reason, tier, restore } = fields;
      const words = [type.split(".").at(-1), backend, finding ?? reason ?? tier, restore];
      told.push(words.filter((word) => word !== undefined).join(" "));
    }
    if (scannedTo >= head) return told;
    after = scannedTo;
  }
}
