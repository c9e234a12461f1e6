/** What the bytes of a request may be. A stream is sent as it comes, and can be sent once. */
export type RequestBody = string | Uint8Array | Blob | AsyncIterable<Uint8Array>;

/** A stream that can be begun again: as a stream, or as whatever else it is made of. */
export interface Restartable extends AsyncIterable<Uint8Array> {
  restart(): RequestBody;
}

export function isRestartable(body: unknown): body is Restartable {
  return typeof body === "object" && body !== null && "restart" in body;
}

/** One HTTP request, ready to be sent. */
export interface TransportRequest {
  /** Absolute. */
  readonly url: string;
  readonly method: string;
  /** By lowercase name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal;
}

/** The headers of an answer. */
export interface AnswerHeaders {
  /** The value of a header; its name is in lowercase. */
  get(name: string): string | null;
}

/** The beginning of an answer, of any status. */
export interface TransportAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** The bytes, to be read once; leaving the loop early ends the transfer. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Sends a request and resolves once the head of the answer is there, whatever its status. No
 * redirect is followed, since a request may carry a credential. It rejects where there is no
 * answer, with whatever the network's error is.
 */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer>;

/** Whether a body can be sent again after a failure. */
export function isReplayable(body: RequestBody | undefined): boolean {
  return body === undefined || typeof body === "string" || isWhole(body);
}

/** Whether a body is there as a whole, with a known size. */
export function isWhole(body: RequestBody): body is Uint8Array | Blob {
  return body instanceof Uint8Array || isBlob(body);
}

export function isBlob(body: unknown): body is Blob {
  return typeof Blob !== "undefined" && body instanceof Blob;
}
