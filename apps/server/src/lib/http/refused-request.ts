import type { StoreError } from "@store/identity";

/** What HTTP says beside a {@link StoreError}: a status of its own, or header fields. */
export class RefusedRequest extends Error {
  readonly error: StoreError;
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: StoreError, status?: number, headers: Readonly<Record<string, string>> = {}) {
    super(error.message, { cause: error });
    this.error = error;
    this.status = status;
    this.headers = headers;
  }
}
