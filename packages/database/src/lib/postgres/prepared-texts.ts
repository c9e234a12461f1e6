/** Which texts a session prepares on the server. */

/** Server-side statements kept by one connection; texts beyond are not prepared. */
const preparedLimit = 256;
/** Texts whose first use is remembered, to tell what is worth preparing. */
const seenLimit = 1_024;

/** Prepares a text from its second use on, so that the many that run once leave nothing behind. */
export class PreparedTexts {
  readonly #seen = new Set<string>();
  readonly #prepared = new Set<string>();

  isWorthIt(text: string): boolean {
    if (this.#prepared.has(text)) return true;
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= seenLimit) this.#seen.clear();
      this.#seen.add(text);
      return false;
    }
    if (this.#prepared.size >= preparedLimit) return false;
    this.#prepared.add(text);
    return true;
  }
}
