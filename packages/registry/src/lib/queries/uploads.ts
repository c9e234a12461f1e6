import { StoreError } from "@store/identity";

import { shown } from "../arguments.ts";

/** The refusal of an upload that is not there, has expired, or is another actor's. */
export function unknownUpload(uploadId: unknown): StoreError {
  return new StoreError(
    "upload_not_found",
    `There is no upload ${shown(uploadId)}: it may have expired. Begin another.`,
    { context: { actual: shown(uploadId) } },
  );
}
