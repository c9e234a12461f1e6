import { type FileSystem, nodeFileSystem } from "../../src/lib/file-system.ts";

/** One call of the operating system, with the path that it is about. */
export interface SystemCall {
  readonly verb: keyof FileSystem;
  readonly path: string;
}

/** Looks at a call before it is made; throws to make it fail, resolves later to make it wait. */
export type Before = (call: SystemCall) => void | Promise<void>;

/** The real file system, with every call recorded and open to failure. */
export class ObservedFileSystem implements FileSystem {
  before: Before = () => {};
  calls: SystemCall[] = [];
  /** How many bytes one read or write handles at most. */
  stepBytes = Number.POSITIVE_INFINITY;
  /** The most files that were open at a time. */
  mostOpen = 0;
  /** Descriptors that were closed under a call: the system may give their number to another. */
  closedInUse: string[] = [];
  readonly #paths = new Map<number, string>();
  readonly #inUse = new Map<number, number>();

  /** The paths of the files that are open. */
  get openPaths(): string[] {
    return [...this.#paths.values()];
  }

  /** The calls of one verb whose path ends so. */
  made(verb: keyof FileSystem, ending: string | RegExp = /$/): SystemCall[] {
    const matches = (path: string) =>
      typeof ending === "string" ? path.endsWith(ending) : ending.test(path);
    return this.calls.filter((call) => call.verb === verb && matches(call.path));
  }

  async open(path: string, flags: number, mode?: number): Promise<number> {
    await this.#observe("open", path);
    const descriptor = await nodeFileSystem.open(path, flags, mode);
    this.#paths.set(descriptor, path);
    this.mostOpen = Math.max(this.mostOpen, this.#paths.size);
    return descriptor;
  }

  async read(descriptor: number, target: Uint8Array, position: number): Promise<number> {
    return this.#use("read", descriptor, () =>
      nodeFileSystem.read(descriptor, target.subarray(0, this.stepBytes), position),
    );
  }

  async write(descriptor: number, source: Uint8Array, position: number): Promise<number> {
    return this.#use("write", descriptor, () =>
      nodeFileSystem.write(descriptor, source.subarray(0, this.stepBytes), position),
    );
  }

  async fsync(descriptor: number): Promise<void> {
    return this.#use("fsync", descriptor, () => nodeFileSystem.fsync(descriptor));
  }

  async fstat(descriptor: number) {
    return this.#use("fstat", descriptor, () => nodeFileSystem.fstat(descriptor));
  }

  async close(descriptor: number): Promise<void> {
    const path = this.#pathOf(descriptor);
    this.#paths.delete(descriptor);
    if ((this.#inUse.get(descriptor) ?? 0) > 0) this.closedInUse.push(path);
    await nodeFileSystem.close(descriptor);
    await this.#observe("close", path);
  }

  closeSynced(descriptor: number): void {
    const path = this.#pathOf(descriptor);
    this.#paths.delete(descriptor);
    if ((this.#inUse.get(descriptor) ?? 0) > 0) this.closedInUse.push(path);
    nodeFileSystem.closeSynced(descriptor);
  }

  async lstat(path: string) {
    await this.#observe("lstat", path);
    return nodeFileSystem.lstat(path);
  }

  async readdir(path: string): Promise<string[]> {
    await this.#observe("readdir", path);
    return nodeFileSystem.readdir(path);
  }

  async mkdir(path: string, mode: number): Promise<void> {
    await this.#observe("mkdir", path);
    return nodeFileSystem.mkdir(path, mode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#observe("rename", to);
    return nodeFileSystem.rename(from, to);
  }

  async unlink(path: string): Promise<void> {
    await this.#observe("unlink", path);
    return nodeFileSystem.unlink(path);
  }

  async rmdir(path: string): Promise<void> {
    await this.#observe("rmdir", path);
    return nodeFileSystem.rmdir(path);
  }

  async statfs(path: string) {
    await this.#observe("statfs", path);
    return nodeFileSystem.statfs(path);
  }

  async #use<T>(verb: keyof FileSystem, descriptor: number, call: () => Promise<T>): Promise<T> {
    const change = (by: number) => {
      this.#inUse.set(descriptor, (this.#inUse.get(descriptor) ?? 0) + by);
    };
    change(1);
    try {
      await this.#observe(verb, this.#pathOf(descriptor));
      return await call();
    } finally {
      change(-1);
    }
  }

  async #observe(verb: keyof FileSystem, path: string): Promise<void> {
    const call = { verb, path };
    this.calls.push(call);
    await this.before(call);
  }

  #pathOf(descriptor: number): string {
    const path = this.#paths.get(descriptor);
    // The system may have given its number to another file: bytes would go astray.
    if (path === undefined) throw new Error(`the descriptor ${descriptor} is closed`);
    return path;
  }
}

/** An error as Node gives it for a failed call. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** Fails the first `times` calls that match, and tells how often it did. */
export function failing(
  verb: keyof FileSystem,
  ending: RegExp,
  code = "EIO",
  times = 1,
): Before & { count: number } {
  const before = Object.assign(
    (call: SystemCall) => {
      if (call.verb !== verb || !ending.test(call.path) || before.count >= times) return;
      before.count++;
      throw systemError(code);
    },
    { count: 0 },
  );
  return before;
}
