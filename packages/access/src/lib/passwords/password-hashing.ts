import { hash, parseOptions, verify } from "@node-rs/argon2";
import { StoreError } from "@store/identity";

/**
 * Argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet recommends:
 * 19 MiB, 2 passes, 1 lane. The numbers are those of the binding's enumerations.
 */
const parameters = { algorithm: 2, version: 1, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/**
 * Hashes passwords, a few at a time: each takes 19 MiB and a thread of the pool in which the disk
 * is read, too. What waits is bounded as well; more is refused with `rate_limited`.
 */
export class PasswordHashing {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #decoy: Promise<string> | undefined;

  constructor(limits: { readonly hashing: number; readonly waiting: number }) {
    this.#most = limits.hashing;
    this.#mostWaiting = limits.waiting;
  }

  /** How many are being hashed or wait for it. */
  get pending(): number {
    return this.#running + this.#waiting.length;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password, parameters));
  }

  /**
   * Whether a password has a hash. Without a hash, of a user that is unknown, it is held against
   * one that it cannot have, so that the answer takes as long.
   */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    this.#decoy ??= this.hash(crypto.randomUUID());
    const decoy = await this.#decoy.catch((error: unknown) => {
      this.#decoy = undefined;
      throw error;
    });
    const matches = await this.#inTurn(() => verify(stored ?? decoy, password));
    return matches && stored !== undefined;
  }

  /** Whether a hash was made with other parameters than hashes are made with now. */
  isOutdated(stored: string): boolean {
    const made = parseOptions(stored);
    return Object.entries(parameters).some(
      ([name, value]) => made[name as keyof typeof parameters] !== value,
    );
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) await this.#turn();
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // Whoever waits takes the place over, so that nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting) {
      throw new StoreError("rate_limited", "Too many logins at once. Try again in a second.", {
        context: { limit: 1 },
      });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    return promise;
  }
}
