/** What a line of the log says beside its message. Never a secret. */
export interface LogFields {
  readonly [name: string]: string | number | boolean | undefined;
}

/** Where the server says what it does, one line a call. Secrets are never passed. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  error(message: string, error?: unknown, fields?: LogFields): void;
}
