/** Which statements are known to be quick. */

/** Statements that take less on average hold up nobody who travels behind them. */
const quickMs = 50;
/** Texts that are remembered; where there are more, all of them are forgotten. */
const textLimit = 1_024;

/** Remembers how long texts have taken, the latest runs counting most. */
export class QuickTexts {
  readonly #averageMs = new Map<string, number>();

  /** Whether a text has run before, and was quick. */
  has(text: string): boolean {
    return (this.#averageMs.get(text) ?? Infinity) < quickMs;
  }

  ran(text: string, durationMs: number): void {
    const before = this.#averageMs.get(text);
    if (before === undefined && this.#averageMs.size >= textLimit) this.#averageMs.clear();
    this.#averageMs.set(text, before === undefined ? durationMs : before * 0.8 + durationMs * 0.2);
  }
}
