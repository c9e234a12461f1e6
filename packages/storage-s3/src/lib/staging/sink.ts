import type { ContentAddress } from "@store/identity";

/** Where staged bytes are: in memory, in pieces, or in an upload to the object itself. */
export interface Sink {
  /** Bytes accepted so far. */
  readonly sizeBytes: number;
  /** Whether another process can find the bytes, or what is left of them. */
  readonly isInBucket: boolean;
  /** Copies the chunk. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes durable what can be; resolves with how many bytes that are. */
  sync(): Promise<number>;
  /**
   * Publishes the bytes and frees what held them, as far as that can be done. Resolves with whether
   * the object was there. May be called again after a failure.
   */
  commit(address: ContentAddress): Promise<boolean>;
  /** Removes what is in the bucket of the bytes, unless somebody has gone on with them. */
  discard(): Promise<void>;
  /** Waits for what is under way and frees the memory. */
  release(): Promise<void>;
}
