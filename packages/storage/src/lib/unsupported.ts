import { type ContentAddress, StoreError } from "@store/identity";

/** The refusal of a backend that gives no presigned URLs. */
export function notPresigned(kind: string, address: ContentAddress): StoreError {
  return new StoreError(
    "unsupported",
    `The ${kind} backend gives no URLs to read from; read ${address} through the backend.`,
    { context: { reference: address } },
  );
}

/** The refusal of a backend that has no archive. */
export function notRestored(kind: string, address: ContentAddress): StoreError {
  return new StoreError(
    "unsupported",
    `The ${kind} backend has no archive; ${address} can be read at once, if it is there.`,
    { context: { reference: address } },
  );
}
