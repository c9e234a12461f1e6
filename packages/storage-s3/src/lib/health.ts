import type { BackendHealth } from "@store/storage";
import { s3Failure } from "./requests/failure.ts";
import { assertFormat } from "./format.ts";
import { newStagedId, newWriter } from "./layout.ts";
import type { Place } from "./place.ts";
import { putText } from "./requests/put-bytes.ts";
import { removeKey } from "./remove.ts";

/** The lease of the bytes that a health check stages. */
const HEALTH = { lease: "health-check", claim: undefined, storageClass: undefined };
const PROBE = "probe";

/** Reads the format file, and writes a probe and removes it. Never throws. */
export async function checkHealth(place: Place): Promise<BackendHealth> {
  const what = `use the bucket ${place.bucket}`;
  try {
    place.assertOpen();
    await assertFormat(place);
    const probe = place.layout.piece(newStagedId(HEALTH), newWriter(1, 0), 0, PROBE.length);
    try {
      await putText(place, probe, PROBE);
    } finally {
      await removeKey(place, probe, what);
    }
    return { healthy: true };
  } catch (error) {
    return { healthy: false, reason: s3Failure(error, what).message };
  }
}
