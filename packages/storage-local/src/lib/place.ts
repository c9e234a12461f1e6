import { errnoOf } from "./failure.ts";
import type { FileSystem } from "./file-system.ts";
import { Folders } from "./folders.ts";
import { type Key, pathIn } from "./layout.ts";
import { OpenFiles } from "./open-files.ts";

/** How many files are open for one step each, such as writing a small object, at a time. */
const BRIEF_FILES = 128;

/** An opened root, and what all verbs share on it. */
export class Place {
  readonly root: string;
  readonly fileSystem: FileSystem;
  readonly folders: Folders;
  /** Held for as long as a reader takes. */
  readonly readFiles: OpenFiles;
  /** Held for as long as a writer takes, and apart from readers: one may wait for the other. */
  readonly writtenFiles: OpenFiles;
  /** Held for one step that waits for nobody, so that it can always be waited for. */
  readonly briefFiles: OpenFiles;

  constructor(root: string, fileSystem: FileSystem, maxOpenFiles: number) {
    this.root = root;
    this.fileSystem = fileSystem;
    this.readFiles = new OpenFiles(fileSystem, maxOpenFiles);
    this.writtenFiles = new OpenFiles(fileSystem, maxOpenFiles);
    this.briefFiles = new OpenFiles(fileSystem, BRIEF_FILES);
    this.folders = new Folders(fileSystem, root, this.briefFiles);
  }

  readonly path = (key: Key): string => pathIn(this.root, key);
}

/** Removes a file; absent is success. */
export async function removeFile(place: Place, key: Key): Promise<void> {
  try {
    await place.fileSystem.unlink(place.path(key));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** The size of a regular file, or undefined where there is none. */
export async function fileSize(place: Place, key: Key): Promise<number | undefined> {
  try {
    const { isFile, sizeBytes } = await place.fileSystem.lstat(place.path(key));
    return isFile ? sizeBytes : undefined;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
