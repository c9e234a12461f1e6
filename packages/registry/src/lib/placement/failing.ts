/** How long a backend that failed is asked last. */
const asideMs = 5_000;

/**
 * The backends that failed a moment ago. They are asked after the others, so that reads do not wait
 * for them each time; after some seconds one read tries each again, while the others still go by.
 */
export class FailingBackends {
  readonly #until = new Map<string, number>();

  failed(backend: string): void {
    this.#until.set(backend, performance.now() + asideMs);
  }

  answered(backend: string): void {
    if (this.#until.size > 0) this.#until.delete(backend);
  }

  /** Whether to ask it last. Says so to all but one of those who ask once its time is over. */
  isAside(backend: string): boolean {
    const until = this.#until.get(backend);
    if (until === undefined) return false;
    const now = performance.now();
    if (now < until) return true;
    this.#until.set(backend, now + asideMs);
    return false;
  }
}
