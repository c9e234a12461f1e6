import type { CopyProgress } from "@store/registry/instance-copy";

import { formatCount, formatCounted, formatDuration, formatSize } from "../format.ts";
import { ProgressLine } from "../progress.ts";

/** Shows how far the copy of an instance is. */
export class CopyProgressBar implements Disposable {
  readonly #line: ProgressLine;
  #first: { readonly state: CopyProgress; readonly atMs: number } | undefined;
  #state: CopyProgress | undefined;

  constructor() {
    this.#line = new ProgressLine(() => {
      if (this.#state === undefined || this.#first === undefined) return "comparing";
      const seconds = (performance.now() - this.#first.atMs) / 1000;
      return copyProgressLine(this.#state, this.#first.state, seconds);
    });
  }

  set(state: CopyProgress): void {
    if (this.#first?.state.step !== state.step) {
      this.#first = { state, atMs: performance.now() };
    }
    this.#state = state;
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

/**
 * The line itself: `copying  1,234/9,006 events  411 objects  45.2 MiB  0:05 left`. Time is reckoned
 * from what was done since `first`, since a copy goes on where an earlier one was.
 */
export function copyProgressLine(
  { step, done, total, objects, sizeBytes }: CopyProgress,
  first: CopyProgress,
  seconds: number,
): string {
  const noun = step === "verifying" ? "row" : "event";
  const events =
    total === undefined
      ? formatCounted(done, noun)
      : `${formatCount(done)}/${formatCount(total)} ${noun}s`;
  const parts = [`${step}  ${events}`, formatCounted(objects, "object"), formatSize(sizeBytes)];
  const rate = seconds > 0 ? (done - first.done) / seconds : 0;
  if (total !== undefined && rate > 0) parts.push(`${formatDuration((total - done) / rate)} left`);
  return parts.join("  ");
}
