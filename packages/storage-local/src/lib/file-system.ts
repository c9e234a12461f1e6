import * as fs from "node:fs";

/** What of a file's metadata is used. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly sizeBytes: number;
}

/** Space of a file system, as an unprivileged process may use it. */
export interface SpaceFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/**
 * The calls that this package makes of the operating system: the seam at which tests make one
 * fail. All reject with Node's own errors, whose `code` is that of the system.
 */
export interface FileSystem {
  open(path: string, flags: number, mode?: number): Promise<number>;
  /** Reads into `target` from `position`; may read less, and 0 bytes at the file's end. */
  read(descriptor: number, target: Uint8Array, position: number): Promise<number>;
  /** Writes at `position`; may write less. */
  write(descriptor: number, source: Uint8Array, position: number): Promise<number>;
  fsync(descriptor: number): Promise<void>;
  fstat(descriptor: number): Promise<FileFacts>;
  close(descriptor: number): Promise<void>;
  /** Closes a descriptor that has nothing left to write, without the way through a thread. */
  closeSynced(descriptor: number): void;
  lstat(path: string): Promise<FileFacts>;
  readdir(path: string): Promise<string[]>;
  mkdir(path: string, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  statfs(path: string): Promise<SpaceFacts>;
}

/**
 * The operating system's. It is made of the callback API on bare descriptors: with many small
 * files at a time `FileHandle` costs a quarter more of the main thread.
 */
export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => called((done) => fs.open(path, flags, mode, done)),
  read: (descriptor, target, position) =>
    called((done) => fs.read(descriptor, target, 0, target.length, position, done)),
  write: (descriptor, source, position) =>
    called((done) => fs.write(descriptor, source, 0, source.length, position, done)),
  fsync: (descriptor) => called((done) => fs.fsync(descriptor, done)),
  fstat: async (descriptor) => factsOf(await called((done) => fs.fstat(descriptor, done))),
  close: (descriptor) => called((done) => fs.close(descriptor, done)),
  closeSynced: (descriptor) => fs.closeSync(descriptor),
  lstat: async (path) => factsOf(await called((done) => fs.lstat(path, done))),
  readdir: (path) => called((done) => fs.readdir(path, done)),
  mkdir: (path, mode) => called((done) => fs.mkdir(path, mode, done)),
  rename: (from, to) => called((done) => fs.rename(from, to, done)),
  unlink: (path) => called((done) => fs.unlink(path, done)),
  rmdir: (path) => called((done) => fs.rmdir(path, done)),
  async statfs(path) {
    const { bsize, bavail, blocks } = await called<fs.StatsFs>((done) => fs.statfs(path, done));
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
};

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

function called<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null || error === undefined) resolve(value);
      else reject(error);
    });
  });
}

function factsOf(stats: fs.Stats): FileFacts {
  return { isFile: stats.isFile(), sizeBytes: stats.size };
}
