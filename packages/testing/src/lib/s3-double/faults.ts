import type { S3ErrorCode } from "./errors.ts";
import type { S3Operation } from "./route.ts";

/** What goes wrong. */
export type S3FaultEffect =
  /** The connection is reset once so many bytes of the request's body have come. */
  | { readonly effect: "reset-request"; readonly afterBytes: number }
  /** The operation is performed; the connection ends after so many bytes of the answer's body. */
  | { readonly effect: "reset-answer"; readonly afterBytes: number }
  /** The operation is performed, and the connection is reset before a byte of the answer. */
  | { readonly effect: "lose-answer" }
  /** Nothing is performed, and this error is answered. */
  | { readonly effect: "answer"; readonly code: S3ErrorCode }
  /** Nothing is performed; 200 is answered, and this error in the document, as AWS may. */
  | { readonly effect: "error-in-body"; readonly code: S3ErrorCode }
  /** The operation waits so long before it is performed. */
  | { readonly effect: "delay"; readonly ms: number }
  /** The operation is performed, and nothing is answered for so long. */
  | { readonly effect: "delay-answer"; readonly ms: number }
  /** One bit of the answer's body is turned over on its way. */
  | { readonly effect: "corrupt-answer"; readonly atByte: number };

/** Which requests a fault strikes. What is left out matches everything. */
export interface S3FaultScope {
  readonly operation?: S3Operation | readonly S3Operation[];
  readonly keyPrefix?: string;
  readonly partNumber?: number;
  /** So many matching requests pass first. Default 0. */
  readonly skip?: number;
  /** How many requests it strikes. Default 1; `Infinity` until the faults are cleared. */
  readonly times?: number;
}

/** A fault that is to happen. Of several that match, the one added first happens. */
export type S3Fault = S3FaultScope & S3FaultEffect;

/** What faults are chosen by. */
export interface FaultTarget {
  readonly operation: S3Operation;
  readonly key: string;
  readonly partNumber: number | undefined;
}

interface Waiting {
  readonly fault: S3Fault;
  skip: number;
  left: number;
}

/** The faults that are to happen. */
export class Faults {
  readonly #waiting = new Set<Waiting>();

  add(fault: S3Fault): void {
    this.#waiting.add({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** The fault that strikes this request, which is counted. */
  take(target: FaultTarget): S3Fault | undefined {
    for (const waiting of this.#waiting) {
      if (!strikes(waiting.fault, target)) continue;
      if (waiting.skip > 0) {
        waiting.skip -= 1;
        continue;
      }
      waiting.left -= 1;
      if (waiting.left === 0) this.#waiting.delete(waiting);
      return waiting.fault;
    }
    return undefined;
  }
}

function strikes(fault: S3Fault, target: FaultTarget): boolean {
  const operations = fault.operation === undefined ? [target.operation] : [fault.operation].flat();
  return (
    operations.includes(target.operation) &&
    target.key.startsWith(fault.keyPrefix ?? "") &&
    (fault.partNumber === undefined || fault.partNumber === target.partNumber)
  );
}
