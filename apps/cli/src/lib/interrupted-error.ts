/** The user or the system asked the command to end, and what it had begun is undone. */
export class InterruptedError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, cause: unknown) {
    super("Interrupted.", { cause });
    this.exitCode = exitCode;
  }
}
