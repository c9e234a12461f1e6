import { isBlob, isWhole, type RequestBody } from "./transport.ts";

/** Larger bodies that are sent as a whole take their time, and tell nothing of it. */
const quickBytes = 1024 * 1024;

/**
 * Watches one request until its answer begins: what its source throws, which a transport may hide,
 * and whether the server shows a sign of life. Taking bytes is one; waiting for the source to give
 * some is not the server's fault.
 */
export class RequestWatch {
  /** What is to be sent. */
  readonly body: RequestBody | undefined;
  /** Fires with the caller's signal, or where the server showed no sign of life for too long. */
  readonly signal: AbortSignal | undefined;
  readonly #late = new AbortController();
  readonly #limitMs: number;
  #failure: { readonly error: unknown } | undefined;
  #isSourceAsked = false;
  #lastSign = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `limitMs` may be infinite. */
  constructor(body: RequestBody | undefined, signal: AbortSignal | undefined, limitMs: number) {
    const isStream = body !== undefined && typeof body !== "string" && !isWhole(body);
    this.body = isStream ? this.#watched(body) : body;
    this.#limitMs = isQuick(body) ? limitMs : Infinity;
    if (this.#limitMs === Infinity) {
      this.signal = signal;
      return;
    }
    const late = this.#late.signal;
    this.signal = signal === undefined ? late : AbortSignal.any([signal, late]);
    this.#wait();
  }

  /** What the source threw. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Why the request was given up here. */
  get late(): Error | undefined {
    return this.#late.signal.aborted ? (this.#late.signal.reason as Error) : undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async *#watched(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      this.#isSourceAsked = true;
      for await (const chunk of source) {
        this.#isSourceAsked = false;
        yield chunk;
        this.#lastSign = performance.now();
        this.#isSourceAsked = true;
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      this.#isSourceAsked = false;
      this.#lastSign = performance.now();
    }
  }

  #wait(): void {
    const idleMs = this.#isSourceAsked ? 0 : performance.now() - this.#lastSign;
    if (idleMs >= this.#limitMs) {
      this.#late.abort(new Error(`it showed no sign of life for ${this.#limitMs} ms`));
      return;
    }
    this.#timer = setTimeout(() => this.#wait(), this.#limitMs - idleMs);
  }
}

function isQuick(body: RequestBody | undefined): boolean {
  if (body instanceof Uint8Array) return body.byteLength <= quickBytes;
  return typeof body === "string" ? body.length <= quickBytes : !isBlob(body);
}
