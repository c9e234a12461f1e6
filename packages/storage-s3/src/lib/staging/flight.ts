/** Work that is under way at the same time. What fails first is thrown by whoever asks next. */
export class Flight {
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** Waits until less than `most` are under way. */
  async room(most: number): Promise<void> {
    while (this.#underWay.size >= most) await Promise.race(this.#underWay);
    this.assertSound();
  }

  launch(work: () => Promise<void>): void {
    const done: Promise<void> = work()
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  /** Waits until nothing is under way; throws what failed. */
  async landed(): Promise<void> {
    await this.settle();
    this.assertSound();
  }

  /** Waits until nothing is under way, whatever came of it. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
