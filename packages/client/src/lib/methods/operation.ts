import {
  decodeHealth,
  decodeSweepReport,
  type HealthReport,
  type LogHeadJson,
  type ReplayReportJson,
  type SweepReport,
} from "@store/api";
import { Digest } from "@store/identity";

import type { Caller } from "../http/caller.ts";

/** What the log amounts to. */
export interface LogHead {
  readonly logId: string;
  /** How many events it has, which is the `seq` of the last one. */
  readonly size: number;
  /** The RFC 6962 root over all headers; 32 bytes. */
  readonly root: Uint8Array;
}

/** What operators do with the instance as a whole. */
export interface OperationMethods {
  head(): Promise<LogHead>;
  /** Recomputes the log's tree, on the server; `log_corrupt` names the first contradiction. */
  verifyLog(): Promise<LogHead>;
  /** Rebuilds the views from the events, or with `check` only compares. */
  replay(options?: { readonly check?: boolean }): Promise<ReplayReportJson>;
  /** Discards what has lapsed. */
  sweep(): Promise<SweepReport>;
  health(): Promise<HealthReport>;
}

export function operationMethods({ call }: Caller): OperationMethods {
  return {
    async head() {
      const { json } = await call("getLogHead");
      return decodeHead(json);
    },
    async verifyLog() {
      const { json } = await call("verifyLog", { isRepeatable: true });
      return decodeHead(json);
    },
    async replay({ check = false } = {}) {
      const { json } = await call("replayViews", { body: { check }, isRepeatable: true });
      return json;
    },
    async sweep() {
      const { json } = await call("sweep", { isRepeatable: true });
      return decodeSweepReport(json);
    },
    async health() {
      const { json } = await call("getInstanceHealth");
      return decodeHealth(json);
    },
  };
}

function decodeHead({ log_id, size, root }: LogHeadJson): LogHead {
  return { logId: log_id, size, root: Digest.fromHex("sha256", root).bytes };
}
