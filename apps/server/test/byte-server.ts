import { localPrincipal, type Access, type Principal } from "@store/access";
import type { Registry } from "@store/registry";
import { startServer } from "@store/server";
import { readSettings } from "@store/server/runtime";
import type { StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";

import type { AnsweredRequest } from "../src/lib/http/serving.ts";
import { openTestRegistry } from "./instance.ts";

/** A server that takes every caller for one and the same. */
export interface ByteServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly registry: Registry;
  readonly storage: StorageBackend;
  readonly answered: readonly AnsweredRequest[];
  /** What was logged as an error. */
  readonly failures: readonly unknown[];
  /** Begins to close the server, and lets requests under way end. */
  close(): Promise<void>;
}

/** Serves an instance in memory, or one whose storage misbehaves. */
export async function openByteServer(
  storage: StorageBackend = createMemoryBackend(),
  caller: Principal = localPrincipal("tester"),
  environment: Readonly<Record<string, string>> = {},
): Promise<ByteServer> {
  const registry = await openTestRegistry(storage);
  const answered: AnsweredRequest[] = [];
  const failures: unknown[] = [];
  const access: Pick<Access, "authenticate" | "recordRefusal" | "sweep"> = {
    authenticate: async () => caller,
    recordRefusal: () => undefined,
    sweep: async () => ({ sessionsRemoved: 0, tokensRemoved: 0, keysRemoved: 0 }),
  };
  const server = await startServer({
    // Nothing else of the accounts is asked for by what moves bytes.
    service: { registry, access: access as Access },
    settings: readSettings({ host: "127.0.0.1", port: 0 }, environment),
    log: { info: () => {}, error: (_, error) => void failures.push(error) },
    onAnswered: (request) => void answered.push(request),
  });
  return {
    url: server.url,
    port: Number(new URL(server.url).port),
    registry,
    storage,
    answered,
    failures,
    close: () => server.close(),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await registry.close();
    },
  };
}
