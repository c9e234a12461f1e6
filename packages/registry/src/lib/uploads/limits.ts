import { assertInteger } from "../arguments.ts";
import type { SessionLimits } from "./records.ts";
import type { UploadLimits } from "./types.ts";

const hour = 60 * 60 * 1000;
const defaults = {
  objectLimitBytes: Number.MAX_SAFE_INTEGER,
  uploadMs: 24 * hour,
  openUploadsPerActor: 1_000,
  openUploads: 10_000,
  uploadLockMs: 8_000,
} as const;

const bounds: Readonly<Record<keyof UploadLimits, readonly [least: number, most: number]>> = {
  objectLimitBytes: [0, Number.MAX_SAFE_INTEGER],
  uploadMs: [1_000, 100 * 365 * 24 * hour],
  openUploadsPerActor: [0, 1_000_000],
  openUploads: [0, 1_000_000],
  uploadLockMs: [1_000, hour],
};

const names = [
  "objectLimitBytes",
  "uploadMs",
  "openUploadsPerActor",
  "openUploads",
  "uploadLockMs",
] as const;

/** Throws `invalid_argument` for a limit that cannot be kept. */
export function assertUploadLimits(options: UploadLimits): void {
  for (const name of names) {
    const value = options[name];
    if (value !== undefined) assertInteger(name, value, ...bounds[name]);
  }
}

/** What was asked for, and the defaults for what was not. */
export function sessionLimits(options: UploadLimits): SessionLimits {
  const { objectLimitBytes, uploadMs, openUploadsPerActor, openUploads, uploadLockMs } = options;
  return {
    limitBytes: objectLimitBytes ?? defaults.objectLimitBytes,
    uploadMs: uploadMs ?? defaults.uploadMs,
    openPerActor: openUploadsPerActor ?? defaults.openUploadsPerActor,
    open: openUploads ?? defaults.openUploads,
    lockMs: uploadLockMs ?? defaults.uploadLockMs,
  };
}
