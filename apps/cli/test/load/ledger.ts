/** What one client was told, and what must therefore be so. */
export interface Ledger {
  readonly finalized: FinalizedEntry[];
  /** Packages that were not finalized, with the files that were acknowledged. */
  readonly open: OpenEntry[];
  /** Ids of packages that are no more. */
  readonly abandoned: string[];
  readonly moves: TagMove[];
}

export interface FileEntry {
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the bytes that were sent, by the client's own count: `sha256:<64 hex>`. */
  readonly sha256: string;
}

export interface OpenEntry {
  readonly id: string;
  readonly files: readonly FileEntry[];
}

export interface FinalizedEntry extends OpenEntry {
  readonly version: string;
  readonly digest: string;
}

/** A tag that this client moved, by compare-and-set. */
export interface TagMove {
  readonly tag: string;
  readonly from: string | null;
  readonly to: string;
}

/** What a process of clients has to say when it ends. */
export interface LoadReport {
  readonly name: string;
  readonly ledger: Ledger;
  /** How often each thing was done, and each refused with what code. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What was neither done nor refused as it may be; the first few of them. */
  readonly defects: readonly string[];
  readonly defectCount: number;
  readonly requests: number;
  /** Uploads that went on at an offset that they had before a failure. */
  readonly resumed: number;
  /** Of reads of a few bytes. */
  readonly smallReadsMs: Latencies;
  readonly seconds: number;
}

export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function latenciesOf(samplesMs: readonly number[]): Latencies {
  const sorted = Float64Array.from(samplesMs).toSorted();
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  const rounded = (value: number | undefined) => Math.round((value ?? 0) * 10) / 10;
  return {
    count: sorted.length,
    p50: rounded(at(0.5)),
    p99: rounded(at(0.99)),
    max: rounded(sorted.at(-1)),
  };
}
