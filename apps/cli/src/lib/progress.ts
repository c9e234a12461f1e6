import { formatCount, formatCounted, formatDuration, formatSize } from "./format.ts";

const redrawMs = 100;

/** What a long command has done, and how much it has to do where that is known. */
export interface ProgressTotals {
  readonly files: number;
  readonly sizeBytes: number;
}

/** One line on stderr that is drawn again and again, while stderr is a terminal. */
export class ProgressLine implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(text: () => string) {
    // Elsewhere nothing is drawn, so that logs stay readable.
    if (!process.stderr.isTTY || process.env.TERM === "dumb") return;
    this.#timer = setInterval(() => {
      const columns = process.stderr.columns || 80;
      process.stderr.write(`\r\u001b[2K${text().slice(0, columns - 1)}`);
    }, redrawMs).unref();
  }

  /** Makes room for a line of the answer; it is drawn again by itself. */
  clear(): void {
    if (this.#timer !== undefined) process.stderr.write("\r\u001b[2K");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.clear();
  }
}

/** Shows files, bytes, rate and time left. */
export class Progress implements Disposable {
  readonly #line: ProgressLine;
  #files = 0;
  #sizeBytes = 0;

  constructor(label: string, totals?: ProgressTotals) {
    const startedMs = performance.now();
    this.#line = new ProgressLine(() => {
      const seconds = (performance.now() - startedMs) / 1000;
      const [files, sizeBytes] = [this.#files, this.#sizeBytes];
      return progressLine({ label, files, sizeBytes, totals, seconds });
    });
  }

  addFile(): void {
    this.#files += 1;
  }

  addBytes(count: number): void {
    this.#sizeBytes += count;
  }

  set(files: number, sizeBytes: number): void {
    this.#files = files;
    this.#sizeBytes = sizeBytes;
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

/** Shows how many of how many events are done. */
export class EventProgress implements Disposable {
  readonly #line: ProgressLine;
  #done = 0;
  #total = 0;

  constructor(label: string) {
    this.#line = new ProgressLine(
      () => `${label}  ${formatCount(this.#done)}/${formatCount(this.#total)} events`,
    );
  }

  set(done: number, total: number): void {
    this.#done = done;
    this.#total = total;
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

/** What a work on the copies of objects has done so far. */
export interface ObjectProgressState {
  readonly objects: number;
  readonly total: number;
  readonly sizeBytes: number;
  readonly problemCount: number;
}

/** Shows how many copies of objects are done, with rate, time left and problems. */
export class ObjectProgress implements Disposable {
  readonly #line: ProgressLine;
  #first: { readonly state: ObjectProgressState; readonly atMs: number } | undefined;
  #state: ObjectProgressState | undefined;

  constructor(label: string) {
    this.#line = new ProgressLine(() => {
      if (this.#state === undefined || this.#first === undefined) return label;
      const seconds = (performance.now() - this.#first.atMs) / 1000;
      return objectProgressLine(label, this.#state, this.#first.state, seconds);
    });
  }

  set(state: ObjectProgressState): void {
    this.#first ??= { state, atMs: performance.now() };
    this.#state = state;
  }

  clear(): void {
    this.#line.clear();
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

/**
 * The line itself: `verifying  1,234/10,001 copies  45.2 MiB  88.0 MiB/s  0:05 left`. Rates are those
 * since `first`, as work that goes on has done something before.
 */
export function objectProgressLine(
  label: string,
  { objects, total, sizeBytes, problemCount }: ObjectProgressState,
  first: ObjectProgressState,
  seconds: number,
): string {
  const bytesRate = seconds > 0 ? (sizeBytes - first.sizeBytes) / seconds : 0;
  const rate = seconds > 0 ? (objects - first.objects) / seconds : 0;
  const parts = [
    label,
    `${formatCount(objects)}/${formatCount(total)} copies`,
    formatSize(sizeBytes),
    `${formatSize(bytesRate)}/s`,
  ];
  if (rate > 0) parts.push(`${formatDuration(Math.max(0, total - objects) / rate)} left`);
  if (problemCount > 0) parts.push(formatCounted(problemCount, "problem"));
  return parts.join("  ");
}

/** The line itself: `pushing  1,234/10,001 files  45.2 MiB/512 MiB  88.0 MiB/s  0:05 left`. */
export function progressLine(state: {
  readonly label: string;
  readonly files: number;
  readonly sizeBytes: number;
  readonly totals: ProgressTotals | undefined;
  readonly seconds: number;
}): string {
  const { label, files, sizeBytes, totals, seconds } = state;
  const ofFiles = totals === undefined ? "" : `/${formatCount(totals.files)}`;
  const ofBytes = totals === undefined ? "" : `/${formatSize(totals.sizeBytes)}`;
  const rate = seconds > 0 ? sizeBytes / seconds : 0;
  const parts = [
    label,
    `${formatCount(files)}${ofFiles} files`,
    `${formatSize(sizeBytes)}${ofBytes}`,
    `${formatSize(rate)}/s`,
  ];
  if (totals !== undefined && rate > 0) {
    const left = Math.max(0, totals.sizeBytes - sizeBytes) / rate;
    parts.push(`${formatDuration(left)} left`);
  }
  return parts.join("  ");
}
