import type { Worker } from "node:worker_threads";
import { Digest, type DualDigest, StoreError } from "@store/identity";
import type { HashAnswer, HashRequest, HexDigests } from "./hash-worker.ts";

/** What of a worker is used. */
export type HashWorker = Pick<
  Worker,
  "on" | "once" | "postMessage" | "ref" | "terminate" | "unref"
>;

/** A thread that hashes for any number of callers, each of its chunks in turn. */
export class HashThread {
  readonly #worker: HashWorker;
  readonly #hashers = new Map<number, ThreadHasher>();
  readonly #onFree: () => void;
  readonly #started = Promise.withResolvers<boolean>();
  #lastId = 0;
  #awaited = 0;
  #ready = false;
  #loss: StoreError | undefined;

  /** `onFree` is called when the last hasher has ended, and when the thread was lost. */
  constructor(worker: HashWorker, onFree: () => void) {
    this.#worker = worker;
    this.#onFree = onFree;
    worker.on("message", (answer: HashAnswer) => this.#answered(answer));
    worker.once("error", (cause: unknown) => this.#lose(cause));
    worker.once("exit", (code: number) => this.#lose(new Error(`It exited with code ${code}.`)));
    worker.unref();
  }

  /** How many hashers are at work. */
  get load(): number {
    return this.#hashers.size;
  }

  /** Whether it came to run; it may be lost since. */
  get isReady(): boolean {
    return this.#ready;
  }

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  /** Whether it came to run. */
  async started(): Promise<boolean> {
    this.#await(1);
    try {
      return await this.#started.promise;
    } finally {
      this.#await(-1);
    }
  }

  createHasher(): ThreadHasher {
    const id = ++this.#lastId;
    const hasher = new ThreadHasher((request) => this.#send(id, request));
    if (this.#loss === undefined) this.#hashers.set(id, hasher);
    else hasher.fail(this.#loss);
    return hasher;
  }

  /** Ends the thread; what it has not hashed is lost. */
  end(): void {
    void this.#worker.terminate();
  }

  #send(id: number, request: Request): void {
    if (this.#loss !== undefined) return;
    if (request.verb !== "abort") this.#await(1);
    else this.#end(id);
    this.#worker.postMessage({ ...request, hasher: id } satisfies HashRequest);
  }

  #answered(answer: HashAnswer): void {
    if (answer === "ready") {
      this.#ready = true;
      return this.#started.resolve(true);
    }
    this.#await(-1);
    const hasher = this.#hashers.get(answer.hasher);
    if (answer.digests !== undefined) this.#end(answer.hasher);
    hasher?.answer(answer.digests);
  }

  #end(id: number): void {
    if (this.#hashers.delete(id) && this.#hashers.size === 0) this.#onFree();
  }

  #lose(cause: unknown): void {
    if (this.#loss !== undefined) return;
    this.#loss = new StoreError(
      "storage_unavailable",
      "The thread that hashed the bytes was lost, and what it had hashed with it. Send them again.",
      { cause },
    );
    this.#started.resolve(false);
    const hashers = [...this.#hashers.values()];
    this.#hashers.clear();
    for (const hasher of hashers) hasher.fail(this.#loss);
    this.#onFree();
  }

  /** The process must not end while an answer is awaited, nor be kept by a thread that is idle. */
  #await(count: 1 | -1): void {
    this.#awaited += count;
    if (this.#awaited > 0) this.#worker.ref();
    else this.#worker.unref();
  }
}

type Request =
  | { readonly verb: "update"; readonly chunk: Uint8Array }
  | { readonly verb: "digest" | "abort" };

/** One sequence of bytes on a thread. Chunks are in shared memory, and hashed where they lie. */
export class ThreadHasher {
  readonly #send: (request: Request) => void;
  readonly #asked: PromiseWithResolvers<HexDigests | undefined>[] = [];
  #end: StoreError | undefined;

  constructor(send: (request: Request) => void) {
    this.#send = send;
  }

  async update(chunk: Uint8Array): Promise<void> {
    await this.#ask({ verb: "update", chunk });
  }

  async digest(): Promise<DualDigest> {
    const asked = this.#ask({ verb: "digest" });
    this.#end ??= spent();
    const digests = await asked;
    if (digests === undefined) throw new StoreError("internal", "A thread gave no digest.");
    return {
      primary: Digest.fromHex("blake3", digests.primary),
      sha256: Digest.fromHex("sha256", digests.sha256),
      sizeBytes: digests.sizeBytes,
    };
  }

  abort(): void {
    if (this.#end !== undefined) return;
    this.#send({ verb: "abort" });
    this.fail(new StoreError("aborted", "The digest was given up."));
  }

  answer(digests: HexDigests | undefined): void {
    this.#asked.shift()?.resolve(digests);
  }

  fail(failure: StoreError): void {
    this.#end = failure;
    for (const { reject } of this.#asked.splice(0)) reject(failure);
  }

  #ask(request: Request): Promise<HexDigests | undefined> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const asked = Promise.withResolvers<HexDigests | undefined>();
    this.#asked.push(asked);
    this.#send(request);
    return asked.promise;
  }
}

function spent(): StoreError {
  return new StoreError("invalid_argument", "This digester is spent; create one for each digest.");
}
