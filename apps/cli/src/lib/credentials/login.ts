import type { StoreClient } from "@store/client";
import { isStoreError } from "@store/identity";

import { HintedError } from "../hinted-error.ts";
import { printError } from "../output.ts";
import { askText, readSecrets } from "../secret-input.ts";
import { CredentialsFile } from "./credentials-file.ts";

export interface LoginRequest {
  readonly username: string | undefined;
  readonly fromStdin: boolean;
}

/** Logs in and keeps the session. One that was kept for the server before is ended. */
export async function beginSession(client: StoreClient, request: LoginRequest) {
  const file = new CredentialsFile();
  // Nobody types a password for what cannot be kept.
  await file.read();
  warnOfPlainText(client.url);
  const username = request.username ?? (await askText("Username"));
  const { fromStdin } = request;
  const [password = ""] = await readSecrets([{ label: "Password" }], { fromStdin });
  const session = await login(client, username, password);
  const former = await file.change(async (sessions, save) => {
    await save(new Map([...sessions, [client.url, { ...session, username }]]));
    return sessions.get(client.url);
  });
  // That it cannot be ended harms nobody: it lapses.
  if (former !== undefined) await endSession(client, former.refreshToken).catch(() => {});
  const { actor, scopes } = await client.me();
  return { server: client.url, username, actor, scopes };
}

/** Ends the session of a refresh token at the server. */
export async function endSession(client: StoreClient, refreshToken: string): Promise<void> {
  await client.call("logout", { body: { refresh_token: refreshToken }, isRepeatable: true });
}

async function login(client: StoreClient, username: string, password: string) {
  try {
    return await client.login({ username, password });
  } catch (error) {
    if (!isStoreError(error, "unauthenticated")) throw error;
    const { message, cause } = error;
    const hint = "Check the username and the password.";
    throw new HintedError("unauthenticated", message, hint, { cause });
  }
}

/** What goes to another machine without TLS, others can read on its way. */
function warnOfPlainText(url: string): void {
  const { protocol, hostname } = new URL(url);
  const isHere = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  if (protocol === "https:" || isHere) return;
  printError("warning", `${url} is not encrypted: others can read the password on its way.`);
}
