import type { S3FaultEffect } from "./faults.ts";
import type { S3Operation } from "./route.ts";

/** A request that was performed or refused. */
export interface S3RequestRecord {
  /** Absent where the request named none. */
  readonly operation: S3Operation | undefined;
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly partNumber?: number;
  /** 0 where the connection was cut before an answer. */
  readonly status: number;
  /** The code of the error document, or `ConnectionCut`. */
  readonly code?: string;
  /** The fault that struck it. */
  readonly fault?: S3FaultEffect["effect"];
}

const mostRecords = 100_000;

/** The last requests, in the order in which they were decided. */
export class RequestLog {
  #records: S3RequestRecord[] = [];

  add(record: S3RequestRecord): void {
    if (this.#records.length >= mostRecords) this.#records = this.#records.slice(mostRecords / 2);
    this.#records.push(record);
  }

  all(): readonly S3RequestRecord[] {
    return [...this.#records];
  }

  clear(): void {
    this.#records = [];
  }
}
