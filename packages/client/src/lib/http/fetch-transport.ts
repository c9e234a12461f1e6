import { chunksOf, streamOf } from "./streams.ts";
import { isWhole, type RequestBody, type Transport } from "./transport.ts";

/** The part of the platform's `fetch` that is needed. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

/** What is given to {@link Fetch}. */
export interface FetchInit extends RequestInit {
  /** Without it a stream is not accepted as a body. */
  readonly duplex?: "half";
}

/** Sends requests by `fetch`: that of the platform, unless another is given. */
export function fetchTransport(fetch: Fetch = globalThis.fetch): Transport {
  return async ({ url, method, headers, body, signal }) => {
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : bodyInit(body)),
      ...(signal === undefined ? {} : { signal }),
      redirect: "manual",
      // Credentials are the client's own, never a browser's.
      credentials: "omit",
      cache: "no-store",
    });
    // Browsers hide everything of a redirect that they do not follow, its status too.
    const status = response.type === "opaqueredirect" ? 307 : response.status;
    return { status, headers: response.headers, body: bytesOf(response) };
  };
}

function bodyInit(body: RequestBody): FetchInit {
  if (typeof body === "string") return { body };
  // A view of shared memory is the only array that is none to `fetch`.
  if (isWhole(body)) return { body: body as Blob | Uint8Array<ArrayBuffer> };
  return { body: streamOf(body), duplex: "half" };
}

function bytesOf({ body }: Response): AsyncIterable<Uint8Array> {
  return chunksOf(body ?? new Blob([]).stream());
}
