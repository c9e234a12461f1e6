export {
  StoreError,
  isStoreError,
  storeErrorCodes,
  type StoreErrorCode,
  type StoreErrorContext,
  type StoreErrorOptions,
} from "./lib/error.ts";
