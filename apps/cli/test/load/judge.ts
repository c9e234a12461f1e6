import { join } from "node:path";

import { createClient, type StoreClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { isStoreError } from "@store/identity";
import { openRegistry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";

import type { Served, Site } from "../served.ts";
import { contested } from "./load-client.ts";
import type { LoadReport, OpenEntry, TagMove } from "./ledger.ts";

export interface Prepared {
  readonly token: string;
  /** Whom events name for what is done with the token. */
  readonly actor: string;
}

/** Somebody who may do everything, and the packages that tags can be moved between. */
export async function prepare({
  url,
  setupToken,
}: Pick<Served, "url" | "setupToken">): Promise<Prepared> {
  using transport = Object.assign(nodeTransport(), {
    [Symbol.dispose]: () => transport.close(),
  });
  const account = { username: "ada", password: "a horse of brass runs" };
  const setup = createClient({ url, transport, credential: { token: setupToken } });
  await setup.createUser(account);
  const ada = createClient({ url, transport });
  await ada.login(account);
  const { id: tokenId, token } = await ada.createToken({ name: "load" });
  const { namespace, name } = contested;
  for (const version of ["1", "2", "3", "4"]) {
    const { id } = await ada.createPackage({ namespace, name, version });
    await ada.ingestFile(id, "file", new TextEncoder().encode(version));
    await ada.finalizePackage(id);
  }
  return { token, actor: `token:${tokenId}` };
}

/** Everything that a server acknowledged and that is not so, in words. */
export async function lostAcknowledgements(
  url: string,
  token: string,
  reports: readonly LoadReport[],
): Promise<string[]> {
  using transport = Object.assign(nodeTransport(), {
    [Symbol.dispose]: () => transport.close(),
  });
  const client = createClient({ url, transport, credential: { token } });
  const ledgers = reports.map(({ ledger }) => ledger);
  const lost: string[] = [];
  const check = async <T>(entries: readonly T[], look: (entry: T) => Promise<string | undefined>) =>
    await each(entries, async (entry) => {
      const what = await look(entry);
      if (what !== undefined) lost.push(what);
    });
  await check(
    ledgers.flatMap(({ finalized }) => finalized),
    async (entry) => {
      const found = await client.getPackage(entry.id);
      if (found.status !== "finalized") return `${entry.id} is ${found.status}`;
      if (found.manifestDigest !== entry.digest) return `${entry.id} has another digest`;
      if (found.fileCount !== entry.files.length) return `${entry.id} has other files`;
      return await lostFile(client, entry);
    },
  );
  await check(
    ledgers.flatMap(({ open }) => open),
    (entry) => lostFile(client, entry),
  );
  await check(
    ledgers.flatMap(({ abandoned }) => abandoned),
    async (id) => {
      const found = await client.getPackage(id).catch((error: unknown) => error);
      return isStoreError(found, "package_not_found") ? undefined : `${id} is still there`;
    },
  );
  lost.push(
    ...lostMoves(
      await historyOf(client),
      ledgers.flatMap(({ moves }) => moves),
    ),
  );
  return lost;
}

async function lostFile(client: StoreClient, entry: OpenEntry): Promise<string | undefined> {
  const { items } = await client.listFiles(entry.id);
  const found = new Map(items.map((file) => [file.path, file]));
  const wrong = entry.files.find(({ path, sha256, sizeBytes }) => {
    const file = found.get(path);
    return file?.sha256 !== sha256 || file.sizeBytes !== sizeBytes;
  });
  return wrong === undefined ? undefined : `${entry.id} has no ${wrong.path} as acknowledged`;
}

/** Each time that a contested tag was moved, as the log tells it. */
async function historyOf(client: StoreClient): Promise<TagMove[]> {
  const { namespace, name } = contested;
  const moves: TagMove[] = [];
  let after = 0;
  for (;;) {
    const query = { types: ["v1.tag.set"], subject: `${namespace}/${name}`, limit: 1000 };
    const page = await client.readEvents({ ...query, after });
    for (const { payload } of page.items) {
      const { tag, package_id: to, previous } = payload as Readonly<Record<string, string>>;
      moves.push({ tag: tag ?? "", from: previous ?? null, to: to ?? "" });
    }
    if (page.scannedTo >= page.head) return moves;
    after = page.scannedTo;
  }
}

/** Each tag moves from where it was, and each move that was acknowledged is in the log. */
function lostMoves(history: readonly TagMove[], acknowledged: readonly TagMove[]): string[] {
  const lost: string[] = [];
  const at = new Map<string, string>();
  const logged = new Map<string, number>();
  const keyOf = ({ tag, from, to }: TagMove) => `${tag} from ${from} to ${to}`;
  for (const move of history) {
    if (move.from !== (at.get(move.tag) ?? null)) lost.push(`${keyOf(move)} is out of order`);
    at.set(move.tag, move.to);
    logged.set(keyOf(move), (logged.get(keyOf(move)) ?? 0) + 1);
  }
  for (const move of acknowledged) {
    const left = logged.get(keyOf(move)) ?? 0;
    if (left === 0) lost.push(`${keyOf(move)} is not in the log`);
    logged.set(keyOf(move), left - 1);
  }
  return lost;
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

/** What the operator's commands find wrong with an instance whose server has ended. */
export async function findings(site: Site): Promise<string[]> {
  const found: string[] = [];
  for (const args of [
    ["verify", "--all"],
    ["replay", "--check"],
  ]) {
    const { exitCode, stdout, stderr } = await site.store(...args);
    if (exitCode !== 0) found.push(`store ${args.join(" ")}: ${exitCode} ${stdout} ${stderr}`);
  }
  return found;
}

/**
 * What is staged in an instance of SQLite, once it was swept after so many milliseconds in which
 * nobody did anything; and how many uploads are open, whose bytes are to stay.
 */
export async function sweptAfter(
  site: Site,
  ms: number,
  actor: string,
): Promise<{ stagedBefore: number; staged: number; openUploads: number }> {
  const storage = await openLocalStorage({ root: join(site.folder, "data/objects") });
  const registry = await openRegistry({
    database: `sqlite:${join(site.folder, "data/store.db")}`,
    backends: { primary: storage },
    actor,
    clock: () => Date.now() + ms,
  });
  try {
    const before = await Array.fromAsync(storage.listStaged());
    await registry.sweep();
    const staged = await Array.fromAsync(storage.listStaged());
    const uploads = await registry.listUploads({ limit: 1000 });
    const open = uploads.items.filter(({ status }) => status === "open");
    return {
      stagedBefore: before.length,
      staged: staged.length,
      openUploads: open.length,
    };
  } finally {
    await registry.close();
    await storage.close();
  }
}

/** Adds what several processes of clients counted, in the form that an account takes. */
export function sumOf(reports: readonly LoadReport[]): Readonly<Record<string, number>> {
  const sum = new Map<string, number>();
  const add = (name: string, count: number) => sum.set(name, (sum.get(name) ?? 0) + count);
  for (const { outcomes, requests, seconds, resumed, ledger, smallReadsMs } of reports) {
    add("requests", requests);
    add("requestsPerSecond", Math.round(requests / seconds));
    add("finalized", ledger.finalized.length);
    add("resumed", resumed);
    for (const [outcome, count] of Object.entries(outcomes)) add(outcome, count);
    sum.set("smallReadP99Ms", Math.max(sum.get("smallReadP99Ms") ?? 0, smallReadsMs.p99));
  }
  return Object.fromEntries(sum);
}
