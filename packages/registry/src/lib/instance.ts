import type { Database } from "@store/database";
import type { EventLog } from "@store/events";
import type { SmallObjects, StorageBackend } from "@store/storage";

import type { ManifestDigest } from "./events/codec.ts";
import type { Leases } from "./leases.ts";
import type { Lifetime } from "./lifetime.ts";
import type { MetadataValidator } from "./metadata-validator.ts";
import type { FailingBackends } from "./placement/failing.ts";
import type { Placement } from "./placement/placement.ts";
import type { Reports } from "./placement/reports.ts";
import type { UploadSessions } from "./uploads/sessions.ts";

/** Everything that one open instance is made of; what callers hold is a facade over it. */
export interface Instance {
  readonly database: Database;
  /** Whether closing the registry closes the database. */
  readonly ownsDatabase: boolean;
  readonly log: EventLog;
  readonly placement: Placement;
  /** Where new objects go. */
  readonly primary: StorageBackend;
  /** Keeps small objects that were read whole, whichever copy they came from. */
  readonly smallObjects: SmallObjects;
  readonly backends: Readonly<Record<string, StorageBackend>>;
  /** The author of what the instance records by itself. */
  readonly actor: string;
  readonly failing: FailingBackends;
  /** What reads find out about copies and backends, on its way into the log. */
  readonly reports: Reports;
  readonly clock: () => number;
  readonly ids: () => string;
  readonly manifestDigest: ManifestDigest;
  readonly lifetime: Lifetime;
  readonly leases: Leases;
  readonly uploads: UploadSessions;
  readonly validator: MetadataValidator;
  /** The largest object that is accepted. */
  readonly objectLimitBytes: number | undefined;
  readonly openPackageMs: number;
}
