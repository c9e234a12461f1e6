import type { S3Staged } from "./staged.ts";

/**
 * What this process is staging. Bytes that are all in the bucket, and wait there for their sender,
 * are kept in mind only as long as somebody has them: many are gone on with by another process.
 */
export class LiveStaged {
  readonly #known = new Map<string, S3Staged | WeakRef<S3Staged>>();
  readonly #forgotten = new FinalizationRegistry<string>((id) => {
    // A later one of that id may have taken its place.
    if (this.get(id) === undefined) this.#known.delete(id);
  });

  get(id: string): S3Staged | undefined {
    const known = this.#known.get(id);
    return known instanceof WeakRef ? known.deref() : known;
  }

  all(): S3Staged[] {
    const found = [...this.#known.keys()].map((id) => this.get(id));
    return found.filter((each) => each !== undefined);
  }

  /** Takes the place of an earlier one of that id. */
  add(staged: S3Staged): void {
    this.#known.set(staged.id, staged);
    this.#forgotten.register(staged, staged.id);
  }

  /** It has bytes in memory, or on their way. */
  work(staged: S3Staged): void {
    if (this.get(staged.id) === staged) this.#known.set(staged.id, staged);
  }

  /** All that it has is in the bucket. */
  wait(staged: S3Staged): void {
    if (this.get(staged.id) === staged) this.#known.set(staged.id, new WeakRef(staged));
  }

  remove(staged: S3Staged): void {
    if (this.get(staged.id) === staged) this.#known.delete(staged.id);
  }
}
