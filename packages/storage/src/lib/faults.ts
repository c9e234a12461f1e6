import { type ContentAddress, StoreError } from "@store/identity";
import type {
  BackendHealth,
  ObjectRetrieval,
  ObjectStat,
  PresignOptions,
  ReadOptions,
  RestoreOptions,
  Staged,
  StagedReadOptions,
  StagedStat,
  StageOptions,
  StorageBackend,
  StorageReceipt,
} from "./contract.ts";
import { ForwardingBackend, ForwardingStaged } from "./forwarding.ts";

/** The verbs that answer once. */
export const callVerbs = [
  "stage",
  "resume",
  "write",
  "sync",
  "commit",
  "abort",
  "stat",
  "remove",
  "presign",
  "restore",
  "discardStaged",
  "health",
  "close",
] as const;

/** The verbs that answer item by item. */
export const streamVerbs = ["open", "read", "enumerate", "listStaged"] as const;

export type CallVerb = (typeof callVerbs)[number];
export type StreamVerb = (typeof streamVerbs)[number];

interface FaultAtCall {
  /** Which call of the verb it strikes, counted from 1, or every one. Default: 1. */
  readonly call?: number | "every";
  /** What a failing call throws. Default: `storage_unavailable`. */
  readonly error?: Error;
}

/** A fault of a verb that answers once. */
export interface CallFault extends FaultAtCall {
  readonly verb: CallVerb;
  /** `before`: nothing has happened; `after`: the effect took place, but the answer is lost. */
  readonly when: "before" | "after";
  /** `hang`: does not go on until `release`. */
  readonly effect: "fail" | "hang";
}

/** A fault of a verb that answers item by item. */
export interface StreamFault extends FaultAtCall {
  readonly verb: StreamVerb;
  /** How many items are delivered before it strikes; `end`: all, but the end. */
  readonly when: number | "end";
  /** `truncate`: ends well, too early; `corrupt`: flips a bit of the next chunk, for `open` and `read`. */
  readonly effect: "fail" | "hang" | "truncate" | "corrupt";
}

export type Fault = CallFault | StreamFault;

/** A backend with faults. */
export interface FaultyBackend extends StorageBackend {
  /** The faults that have struck, in their order. */
  readonly struck: readonly Fault[];
  /** Lets every call that hangs go on, as a place that comes back would. */
  release(): void;
}

/** Wraps a backend so that it fails, hangs or lies exactly where `faults` say. */
export function withFaults(inner: StorageBackend, faults: readonly Fault[]): FaultyBackend {
  return new FaultInjectingBackend(inner, new FaultInjector(faults));
}

class FaultInjector {
  readonly struck: Fault[] = [];
  readonly #faults: readonly Fault[];
  readonly #calls = new Map<string, number>();
  readonly #hanging = new Set<() => void>();

  constructor(faults: readonly Fault[]) {
    this.#faults = faults;
  }

  async call<T>(verb: CallVerb, effect: () => Promise<T>): Promise<T> {
    const fault = this.#faultOf(verb);
    if (fault?.when === "before") await this.#strike(fault);
    const answer = await effect();
    if (fault?.when === "after") await this.#strike(fault);
    return answer;
  }

  async *stream<T>(verb: StreamVerb, items: AsyncIterable<T>): AsyncGenerator<T> {
    const fault = this.#faultOf(verb);
    let delivered = 0;
    if (fault?.when === 0 && fault.effect !== "corrupt") {
      if ((await this.#strike(fault)) === "truncate") return;
    }
    for await (const item of items) {
      const corrupt = fault?.when === delivered && fault.effect === "corrupt";
      yield corrupt ? this.#corrupted(fault, item) : item;
      delivered++;
      if (fault?.when === delivered && fault.effect !== "corrupt") {
        if ((await this.#strike(fault)) === "truncate") return;
      }
    }
    if (fault?.when === "end") await this.#strike(fault);
  }

  release(): void {
    for (const goOn of this.#hanging) goOn();
    this.#hanging.clear();
  }

  #faultOf(verb: CallVerb | StreamVerb): Fault | undefined {
    const call = (this.#calls.get(verb) ?? 0) + 1;
    this.#calls.set(verb, call);
    return this.#faults.find(
      (fault) => fault.verb === verb && (fault.call === "every" || (fault.call ?? 1) === call),
    );
  }

  async #strike(fault: Fault): Promise<Fault["effect"]> {
    this.struck.push(fault);
    if (fault.effect === "hang") {
      await new Promise<void>((resolve) => {
        this.#hanging.add(resolve);
      });
    }
    if (fault.effect === "fail") {
      throw (
        fault.error ??
        new StoreError("storage_unavailable", `A fault was injected into ${fault.verb}.`)
      );
    }
    return fault.effect;
  }

  #corrupted<T>(fault: Fault, item: T): T {
    this.struck.push(fault);
    if (item instanceof Uint8Array && item.length > 0) item[0] = (item[0] ?? 0) ^ 1;
    return item;
  }
}

class FaultInjectingBackend extends ForwardingBackend implements FaultyBackend {
  readonly #injector: FaultInjector;

  constructor(inner: StorageBackend, injector: FaultInjector) {
    super(inner);
    this.#injector = injector;
  }

  get struck(): readonly Fault[] {
    return this.#injector.struck;
  }

  release(): void {
    this.#injector.release();
  }

  override async stage(options: StageOptions): Promise<Staged> {
    const staged = await this.#injector.call("stage", () => this.inner.stage(options));
    return new FaultInjectingStaged(staged, this.#injector);
  }

  override async resume(id: string): Promise<Staged> {
    const staged = await this.#injector.call("resume", () => this.inner.resume(id));
    return new FaultInjectingStaged(staged, this.#injector);
  }

  override open(address: ContentAddress, options?: ReadOptions): AsyncIterable<Uint8Array> {
    return this.#injector.stream("open", this.inner.open(address, options));
  }

  override stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    return this.#injector.call("stat", () => this.inner.stat(address));
  }

  override remove(address: ContentAddress): Promise<void> {
    return this.#injector.call("remove", () => this.inner.remove(address));
  }

  override enumerate(after?: ContentAddress): AsyncIterable<ObjectStat> {
    return this.#injector.stream("enumerate", this.inner.enumerate(after));
  }

  override presign(address: ContentAddress, options?: PresignOptions): Promise<string> {
    return this.#injector.call("presign", () => this.inner.presign(address, options));
  }

  override restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval> {
    return this.#injector.call("restore", () => this.inner.restore(address, options));
  }

  override listStaged(): AsyncIterable<StagedStat> {
    return this.#injector.stream("listStaged", this.inner.listStaged());
  }

  override discardStaged(id: string): Promise<void> {
    return this.#injector.call("discardStaged", () => this.inner.discardStaged(id));
  }

  override async health(): Promise<BackendHealth> {
    try {
      return await this.#injector.call("health", () => this.inner.health());
    } catch (error) {
      // Health never throws, not even when it is made to fail.
      return { healthy: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  override close(): Promise<void> {
    return this.#injector.call("close", () => this.inner.close());
  }
}

class FaultInjectingStaged extends ForwardingStaged {
  readonly #injector: FaultInjector;

  constructor(inner: Staged, injector: FaultInjector) {
    super(inner);
    this.#injector = injector;
  }

  override write(chunk: Uint8Array): Promise<void> {
    return this.#injector.call("write", () => this.inner.write(chunk));
  }

  override sync(): Promise<number> {
    return this.#injector.call("sync", () => this.inner.sync());
  }

  override read(options?: StagedReadOptions): AsyncIterable<Uint8Array> {
    return this.#injector.stream("read", this.inner.read(options));
  }

  override commit(address: ContentAddress): Promise<StorageReceipt> {
    return this.#injector.call("commit", () => this.inner.commit(address));
  }

  override abort(): Promise<void> {
    return this.#injector.call("abort", () => this.inner.abort());
  }
}
