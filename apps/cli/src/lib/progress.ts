import { formatCount, formatDuration, formatSize } from "./format.ts";

const redrawMs = 100;

/** What a long command has done, and how much it has to do where that is known. */
export interface ProgressTotals {
  readonly files: number;
  readonly sizeBytes: number;
}

/** One line on stderr that is drawn again and again, while stderr is a terminal. */
class ProgressLine implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(text: () => string) {
    // Elsewhere nothing is drawn, so that logs stay readable.
    if (!process.stderr.isTTY || process.env.TERM === "dumb") return;
    this.#timer = setInterval(() => {
      const columns = process.stderr.columns || 80;
      process.stderr.write(`\r\u001b[2K${text().slice(0, columns - 1)}`);
    }, redrawMs).unref();
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    process.stderr.write("\r\u001b[2K");
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
