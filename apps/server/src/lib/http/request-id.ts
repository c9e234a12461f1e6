import { randomUUID } from "node:crypto";

/** The id of a request: that which the caller gave, where it is harmless to log, else a new one. */
export function requestIdOf(given: string | undefined): string {
  if (given !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(given)) return given;
  return randomUUID();
}
