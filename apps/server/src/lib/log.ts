/** Where the server says what it does. Each call is one line; secrets are never passed. */
export interface Log {
  info(message: string): void;
  error(message: string, error?: unknown): void;
}
