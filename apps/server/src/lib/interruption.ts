import { constants } from "node:os";

import { StoreError } from "@store/identity";

const interruptingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A runner such as npm may pass on the signal that the terminal gave both of them. */
const sameSignalMs = 250;

/** The operating system's wish that the process end. */
export interface Interruption extends Disposable {
  /** Aborted by the first signal; its reason is a `StoreError` with the code `aborted`. */
  readonly signal: AbortSignal;
  /** What a shell expects of a process that this signal ended, e.g. 130 for SIGINT. */
  exitCode(): number | undefined;
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an aborted signal, so that work can be undone; the
 * second one ends the process at once. Until it is disposed, the process does not end by itself.
 */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  let firstMs = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    const code = 128 + constants.signals[name];
    if (exitCode !== undefined) {
      if (performance.now() - firstMs < sameSignalMs) return;
      process.exit(code);
    }
    exitCode = code;
    firstMs = performance.now();
    controller.abort(new StoreError("aborted", `Interrupted by ${name}.`));
  };
  for (const name of interruptingSignals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    [Symbol.dispose]() {
      for (const name of interruptingSignals) process.off(name, onSignal);
    },
  };
}
