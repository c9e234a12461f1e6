import { setImmediate as nextTurn } from "node:timers/promises";

/** How long a loop may go on before it lets others in; far below what anybody would notice. */
const sliceMs = 5;

/** Lets the event loop turn now and then in a long loop whose awaits may all be answered at once. */
export class Pace {
  #began = performance.now();

  async keep(): Promise<void> {
    if (performance.now() - this.#began < sliceMs) return;
    await nextTurn();
    this.#began = performance.now();
  }
}
