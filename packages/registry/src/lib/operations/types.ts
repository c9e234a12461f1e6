import type { TableDifference } from "@store/database";
import type { ContentAddress } from "@store/identity";

/** What is wrong with one object of a package. */
export interface VerifyProblem {
  readonly path?: string;
  readonly address?: ContentAddress;
  /** The backend whose copy it is, where another copy is whole; absent where none is. */
  readonly backend?: string;
  readonly code: "object_corrupt" | "object_not_found" | "log_corrupt";
  readonly message: string;
}

export interface VerifyReport {
  readonly packageId: string;
  readonly reference: string;
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly problems: readonly VerifyProblem[];
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { files: number; sizeBytes: number }) => void;
  /** Objects already found whole in this run; shared between packages so that each is read once. */
  readonly verified?: Set<ContentAddress>;
}

export interface SweepReport {
  readonly stagedDiscarded: number;
  readonly stagedBytes: number;
  readonly packagesExpired: number;
  readonly leasesRemoved: number;
  readonly idempotencyKeysRemoved: number;
  readonly uploadsExpired: number;
}

export interface ReplayOptions {
  /** Only compares the live views with what the events give; changes nothing. */
  readonly check?: boolean;
  readonly onProgress?: (progress: { events: number; total: number }) => void;
}

export interface ReplayReport {
  readonly events: number;
  /** How the live views differed from the rebuilt ones; empty where they were replaced. */
  readonly differences: readonly TableDifference[];
}

export interface HealthReport {
  /** Whether database, log and the primary backend are; other backends may fail meanwhile. */
  readonly healthy: boolean;
  readonly database: {
    readonly healthy: boolean;
    readonly dialect: string;
    readonly reason?: string;
  };
  readonly log: {
    readonly healthy: boolean;
    readonly size: number;
    readonly root: string;
    readonly reason?: string;
  };
  readonly backends: Readonly<
    Record<
      string,
      { healthy: boolean; kind: string; freeBytes?: number; totalBytes?: number; reason?: string }
    >
  >;
}
