import type { Credential, StoreClient } from "@store/client";
import { isStoreError } from "@store/identity";

import { CredentialsFile } from "./credentials/credentials-file.ts";
import { KeptSession } from "./credentials/kept-session.ts";
import { HintedError } from "./hinted-error.ts";

/** What the requests to a server are authenticated with. */
export type CredentialKind = "token" | "session" | "none";

/** A server that commands work with. */
export interface Connection extends Disposable {
  readonly client: StoreClient;
  readonly credential: CredentialKind;
}

export interface ConnectOptions {
  readonly userAgent: string;
  /** `none` where the command shows what it knows itself, as logging in does. */
  readonly credential?: "none";
  readonly environment?: NodeJS.ProcessEnv;
}

/** A refresh that takes longer has met a server that is not well. */
const refreshMs = 30_000;

/**
 * Makes a client of a server, which has sent nothing yet.
 *
 * @throws {StoreError} `invalid_argument` for what is no server's URL, and what reading the
 *   credentials file throws.
 */
export async function connect(url: string, options: ConnectOptions): Promise<Connection> {
  const [{ createClient, decodeSession }, { nodeTransport }] = await Promise.all([
    import("@store/client"),
    import("@store/client/node"),
  ]);
  const transport = nodeTransport();
  const common = { url, transport, userAgent: options.userAgent };
  // It has no credential: the client that refreshes must not ask for one.
  const bare = createClient(common);
  const refresh = async (refreshToken: string) => {
    const { json } = await bare.call("refreshSession", {
      body: { refresh_token: refreshToken },
      // Never sent twice: the server would take it for theft.
      isRepeatable: false,
      signal: AbortSignal.timeout(refreshMs),
    });
    return decodeSession(json);
  };
  const found =
    options.credential === "none"
      ? noCredential
      : await findCredential(bare, refresh, options.environment ?? process.env);
  const { kind, credential } = found;
  return {
    client: credential === undefined ? bare : createClient({ ...common, credential }),
    credential: kind,
    [Symbol.dispose]: () => transport.close(),
  };
}

interface FoundCredential {
  readonly kind: CredentialKind;
  readonly credential?: Credential;
}

const noCredential: FoundCredential = { kind: "none" };

/** STORE_TOKEN for the server that it is meant for, else the session that `login` began there. */
async function findCredential(
  { url }: StoreClient,
  refresh: ConstructorParameters<typeof KeptSession>[0]["refresh"],
  environment: NodeJS.ProcessEnv,
): Promise<FoundCredential> {
  const token = environment.STORE_TOKEN?.trim() ?? "";
  if (token !== "" && (await isMeantFor(url, environment.STORE_URL))) {
    return { kind: "token", credential: { token } };
  }
  const file = new CredentialsFile();
  const session = (await file.read()).get(url);
  if (session === undefined) return noCredential;
  const kept = new KeptSession({ url, file, session, refresh });
  return { kind: "session", credential: (refused) => kept.token(refused) };
}

/** A token is not shown to another server than the one that the environment names beside it. */
async function isMeantFor(url: string, configured: string | undefined): Promise<boolean> {
  if (!configured) return true;
  const { createClient } = await import("@store/client");
  return createClient({ url: configured }).url === url;
}

/** What a server refused, with what somebody at a terminal can do about it there. */
export function explained(error: unknown, { client, credential }: Connection): unknown {
  const { url } = client;
  if (!isStoreError(error) || error instanceof HintedError) return error;
  const { code, message, cause, context } = error;
  const again = { cause, context };
  if (code === "unauthenticated") {
    const hint =
      credential === "token"
        ? `Check STORE_TOKEN, which ${url} does not accept.`
        : `Log in with \`store login --server ${url}\`, or set STORE_TOKEN.`;
    return new HintedError(code, message, hint, again);
  }
  if (code === "permission_denied") {
    const hint =
      context.expected === undefined
        ? "Use a session of `store login`, or another token."
        : "See what you may do with `store whoami`; an administrator grants scopes.";
    return new HintedError(code, message, hint, again);
  }
  // Only what the network refused has a cause; a server's own words have none.
  if (code === "storage_unavailable" && cause !== undefined) {
    if (isNoTls(cause)) {
      const said = `Cannot reach ${url}: what answers there does not speak TLS.`;
      return new HintedError(code, said, "Check the address; it may be one of http:.", again);
    }
    const hint = "Check the address, and that the server runs.";
    return new HintedError(code, `Cannot reach ${url}. ${message}`, hint, again);
  }
  return error;
}

/** Bytes that are no TLS look to OpenSSL like TLS of a version that it does not know. */
function isNoTls(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes("wrong version number");
}
