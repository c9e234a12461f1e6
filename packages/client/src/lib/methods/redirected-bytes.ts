import type { CallAnswer } from "../http/call-types.ts";
import type { Caller } from "../http/caller.ts";
import { abortedError } from "../http/failures.ts";
import type { AnswerHeaders, TransportAnswer } from "../http/transport.ts";

type Bytes = Pick<CallAnswer<never>, "status" | "headers" | "bytes">;

/** An answer of bytes, wherever they came from. */
export interface AnsweredBytes extends Bytes {
  /** Whether the server said what the bytes are, and another place gave them. */
  readonly isRedirected: boolean;
}

/** The headers of a request for bytes. */
export interface ByteHeaders {
  readonly range?: string;
  readonly "if-range"?: string;
}

interface ByteRequest {
  readonly what: string;
  readonly headers: ByteHeaders;
  readonly signal: AbortSignal | undefined;
  /** Asks the server. */
  ask(headers: ByteHeaders & { readonly "store-redirect"?: "never" }): Promise<Bytes>;
}

/** What the place that has the bytes says of them; all else the server has said. */
const fromPlace: ReadonlySet<string> = new Set(["content-length", "content-range"]);

/**
 * Asks for the bytes of a file or an object. Where the server redirects to the place that has them,
 * they are read there, without the credential; where that does not work, from the server after all.
 */
export async function askForBytes(caller: Caller, request: ByteRequest): Promise<AnsweredBytes> {
  const { headers } = request;
  const answer = caller.readsElsewhere ? await request.ask(headers) : undefined;
  if (answer !== undefined && answer.status !== 307) return { ...answer, isRedirected: false };
  const location = answer?.headers.get("location");
  if (answer !== undefined && typeof location === "string") {
    const found = await askPlace(caller, location, request);
    if (found !== undefined) {
      const { status, headers: said, body: bytes } = found;
      return { status, headers: merged(answer.headers, said), bytes, isRedirected: true };
    }
  } else {
    // A browser does not tell where it is led.
    caller.readsElsewhere = false;
  }
  const direct = await request.ask({ ...headers, "store-redirect": "never" });
  return { ...direct, isRedirected: false };
}

async function askPlace(
  caller: Caller,
  location: string,
  { what, headers, signal }: ByteRequest,
): Promise<TransportAnswer | undefined> {
  if (!isAllowed(caller.url, location)) return undefined;
  const { range } = headers;
  try {
    const given = range === undefined ? {} : { range };
    const answer = await caller.askElsewhere(location, given, signal);
    if (answer.status === (range === undefined ? 200 : 206)) return answer;
    // What it says of an error is not for whoever asked; the server knows other copies.
    for await (const _ of answer.body) break;
  } catch {
    if (signal?.aborted === true) throw abortedError(what, signal);
  }
  return undefined;
}

/** What came encrypted so far is not read in the clear. */
function isAllowed(serverUrl: string, location: string): boolean {
  const place = URL.parse(location);
  if (place === null || place.username !== "" || place.password !== "") return false;
  if (place.protocol === "https:") return true;
  return place.protocol === "http:" && serverUrl.startsWith("http:");
}

function merged(said: AnswerHeaders, place: AnswerHeaders): AnswerHeaders {
  return { get: (name) => (fromPlace.has(name) ? place : said).get(name) };
}
