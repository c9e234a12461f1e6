/** What every mutation accepts. */
export interface MutationOptions {
  /**
   * Makes the mutation safe to repeat for 24 hours. One is made where none is given, so that the
   * client may send the request again.
   */
  readonly idempotencyKey?: string;
}

/** The header that makes a mutation safe to send again. */
export function idempotency({ idempotencyKey }: MutationOptions): { "idempotency-key": string } {
  return { "idempotency-key": idempotencyKey ?? randomKey() };
}

/** `crypto.randomUUID` is kept from pages that did not come over TLS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
