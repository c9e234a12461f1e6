import type { Principal } from "./types.ts";

/** Whom a credential stands for; `ended` for one that is ours and was accepted once. */
export type Decision = Principal | "ended" | undefined;

/** How long a decision is remembered: so long may an end that another process made go unnoticed. */
const rememberedMs = 2_000;
const mostEntries = 10_000;

interface Entry {
  readonly principal: Principal;
  readonly decidedAtMs: number;
  readonly endsAtMs: number;
}

/** Who was let in a moment ago, by the digest of the credential. */
export class PrincipalCache {
  readonly #clock: () => number;
  readonly #entries = new Map<string, Entry>();
  #generation = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  find(key: string): Principal | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock();
    const age = now - entry.decidedAtMs;
    if (age >= 0 && age < rememberedMs && now < entry.endsAtMs) return entry.principal;
    this.#entries.delete(key);
    return undefined;
  }

  /** Decides, and remembers the decision unless something changed while it was made. */
  async decide(key: string, decision: () => Promise<Decision>): Promise<Decision> {
    const generation = this.#generation;
    const decidedAtMs = this.#clock();
    const principal = await decision();
    if (principal === undefined || principal === "ended") return principal;
    if (generation !== this.#generation) return principal;
    const { expiresAt } = principal;
    const endsAtMs = expiresAt === undefined ? Infinity : Date.parse(expiresAt);
    this.#entries.delete(key);
    this.#entries.set(key, { principal, decidedAtMs, endsAtMs });
    if (this.#entries.size > mostEntries) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    return principal;
  }

  /** Forgets everything: something that decisions rest on has changed. */
  clear(): void {
    this.#generation += 1;
    this.#entries.clear();
  }
}
