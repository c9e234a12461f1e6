import type { LocalStaged } from "./staged.ts";

/**
 * What this process is staging. Bytes that are all in their file, and wait there for their sender,
 * are kept in mind only as long as somebody has them: many are gone on with by another process and
 * never heard of here again.
 */
export class LiveStaged {
  readonly #working = new Map<string, LocalStaged>();
  readonly #waiting = new Map<string, WeakRef<LocalStaged>>();
  readonly #forgotten = new FinalizationRegistry<string>((id) => {
    // A later one of that id may have taken its place.
    if (this.#waiting.get(id)?.deref() === undefined) this.#waiting.delete(id);
  });

  get(id: string): LocalStaged | undefined {
    return this.#working.get(id) ?? this.#waiting.get(id)?.deref();
  }

  all(): LocalStaged[] {
    const waiting = [...this.#waiting.values()].map((each) => each.deref());
    return [...this.#working.values(), ...waiting.filter((each) => each !== undefined)];
  }

  /** Takes the place of an earlier one of that id. */
  add(staged: LocalStaged): void {
    this.#waiting.delete(staged.id);
    this.#working.set(staged.id, staged);
    this.#forgotten.register(staged, staged.id);
  }

  /** It has bytes that are in no file, or a file that is open. */
  work(staged: LocalStaged): void {
    if (this.get(staged.id) !== staged) return;
    this.#waiting.delete(staged.id);
    this.#working.set(staged.id, staged);
  }

  /** All that it has is in its file, which is closed. */
  wait(staged: LocalStaged): void {
    if (this.#working.get(staged.id) !== staged) return;
    this.#working.delete(staged.id);
    this.#waiting.set(staged.id, new WeakRef(staged));
  }

  remove(staged: LocalStaged): void {
    if (this.get(staged.id) !== staged) return;
    this.#working.delete(staged.id);
    this.#waiting.delete(staged.id);
  }
}
