export { openLocalStorage, type LocalStorageOptions } from "./lib/backend.ts";
