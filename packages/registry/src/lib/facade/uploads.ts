import { StoreError } from "@store/identity";

import type { Instance } from "../instance.ts";
import type { Uploads } from "../uploads/types.ts";

/** The methods of resumable uploads. */
export function uploadMethods(_instance: Instance, _actor: string): Uploads {
  const refused = async (): Promise<never> => {
    throw new StoreError("unsupported", "This instance takes no resumable uploads.");
  };
  return {
    createUpload: refused,
    getUpload: refused,
    listUploads: refused,
    setUploadSize: refused,
    appendUpload: refused,
    cancelUpload: refused,
  };
}
