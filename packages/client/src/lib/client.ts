import { Caller } from "./http/caller.ts";
import type { Call } from "./http/call-types.ts";
import { fetchTransport, type Fetch } from "./http/fetch-transport.ts";
import { serverUrl } from "./http/request-url.ts";
import { Retries, type RetryOptions } from "./http/retries.ts";
import type { Transport } from "./http/transport.ts";
import { accountMethods, type AccountMethods } from "./methods/accounts.ts";
import { copyMethods, type CopyMethods } from "./methods/copies.ts";
import { eventMethods, type EventMethods } from "./methods/events.ts";
import { fileMethods, type FileMethods } from "./methods/files.ts";
import { KnownPackages } from "./methods/known-packages.ts";
import { nameMethods, type NameMethods } from "./methods/names.ts";
import { objectMethods, type ObjectMethods } from "./methods/objects.ts";
import { operationMethods, type OperationMethods } from "./methods/operation.ts";
import { packageMethods, type PackageMethods } from "./methods/packages.ts";
import { uploadMethods, type UploadMethods } from "./methods/uploads.ts";
import type { Credential } from "./session.ts";

export interface ClientOptions {
  /** Where the server is, e.g. `https://store.example.org`. */
  readonly url: string | URL;
  /** Without it only what everybody may is answered; `login` gives one. */
  readonly credential?: Credential;
  /** What sends requests; `fetch` unless given. `@store/client/node` has a faster one. */
  readonly transport?: Transport;
  /** The `fetch` that is used where no transport is given; the platform's unless given. */
  readonly fetch?: Fetch;
  /** How what failed for the moment is tried again; `false` for never. */
  readonly retry?: RetryOptions | false;
  /** Names the program to the server; browsers do not allow it. */
  readonly userAgent?: string;
  /**
   * How long the server may show no sign of life while a request or its bytes are under way, before
   * it counts as away; two minutes unless given. Not for what reads all there is before it answers.
   */
  readonly idleMs?: number;
  /** After so long without a sign of life, the stream of events is begun anew; 60 s unless given. */
  readonly heartbeatMs?: number;
}

/**
 * Store over HTTP. Its methods have the names and shapes of the registry's, and throw the same
 * `StoreError`s. Beside those: `storage_unavailable` where the server does not answer, `internal`
 * for an answer that cannot be understood, and `unauthenticated`, `permission_denied` and
 * `rate_limited` as the server says.
 */
export interface StoreClient
  extends
    PackageMethods,
    FileMethods,
    ObjectMethods,
    CopyMethods,
    NameMethods,
    EventMethods,
    UploadMethods,
    OperationMethods,
    AccountMethods {
  /** The server's address, without a trailing slash. */
  readonly url: string;
  readonly call: Call;
}

/** @throws {StoreError} `invalid_argument` for a url that is no server's */
export function createClient(options: ClientOptions): StoreClient {
  const { credential, transport, fetch, retry = {}, userAgent } = options;
  const { idleMs = 120_000, heartbeatMs = 60_000 } = options;
  const url = serverUrl(options.url);
  const caller = new Caller({
    url,
    transport: transport ?? fetchTransport(fetch),
    retries: new Retries(retry === false ? { attempts: 1 } : retry),
    credential,
    userAgent,
    idleMs,
  });
  const known = new KnownPackages();
  return {
    url,
    call: caller.call,
    ...packageMethods(caller, known),
    ...fileMethods(caller, known),
    ...objectMethods(caller),
    ...copyMethods(caller),
    ...nameMethods(caller, known),
    ...eventMethods(caller, heartbeatMs),
    ...uploadMethods(caller),
    ...operationMethods(caller),
    ...accountMethods(caller),
  };
}
