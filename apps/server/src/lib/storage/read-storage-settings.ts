import { resolve } from "node:path";

import { StoreError } from "@store/identity";

import { readStorageFile } from "./storage-file.ts";
import type { BackendSettings, StorageSettings } from "./storage-settings.ts";
import { readStorageUrl } from "./storage-url.ts";

/**
 * What STORE_STORAGE_FILE or STORE_STORAGE_URL say, else the folder `objects` of the instance.
 *
 * @throws {StoreError} `invalid_argument` naming the setting, or the place in the file
 */
export function readStorageSettings(
  dataFolder: string,
  environment: NodeJS.ProcessEnv,
): StorageSettings {
  const { STORE_STORAGE_FILE: file, STORE_STORAGE_URL: url } = environment;
  if (file && url) {
    throw new StoreError(
      "invalid_argument",
      "STORE_STORAGE_FILE and STORE_STORAGE_URL both say where objects are; give one of them.",
    );
  }
  if (file) return readStorageFile(resolve(file));
  const primary: BackendSettings = url
    ? readStorageUrl(url)
    : { kind: "local", root: resolve(dataFolder, "objects") };
  return {
    backends: { primary },
    placement: { primary: "primary", mirrors: [], readOrder: ["primary"] },
  };
}
