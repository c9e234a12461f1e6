import { isIPv4, isIPv6 } from "node:net";

import { StoreError } from "@store/identity";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

import type { FailureLimit } from "./types.ts";

/**
 * Counts failures, or whatever else should be rare, by key, in memory, within a window that begins with the first. Keys are bounded:
 * the one that was first seen gives way, so that inventing keys costs an attacker, not us.
 */
export class FailureCounter {
  readonly #limiter: RateLimiterMemory;
  readonly #failures: number;
  readonly #mostKeys: number;
  readonly #keys = new Set<string>();
  readonly #onRefused: () => void;
  readonly #what: string;

  constructor(
    limit: FailureLimit,
    mostKeys: number,
    onRefused: () => void,
    what: string = "failures",
  ) {
    const { failures, withinMs } = limit;
    this.#limiter = new RateLimiterMemory({ points: failures, duration: withinMs / 1_000 });
    this.#failures = failures;
    this.#mostKeys = mostKeys;
    this.#onRefused = onRefused;
    this.#what = what;
  }

  /** Throws `rate_limited` where the key has failed too often. */
  async check(key: string): Promise<void> {
    const found = await this.#limiter.get(key);
    if (found !== null && found.consumedPoints >= this.#failures) throw this.#refused(found);
  }

  /**
   * Counts an attempt before it is made, so that many at once are not let through; throws
   * `rate_limited` where there were too many.
   */
  async attempt(key: string): Promise<void> {
    this.#remember(key);
    try {
      await this.#limiter.consume(key);
    } catch (error) {
      if (error instanceof RateLimiterRes) throw this.#refused(error);
      throw error;
    }
  }

  async fail(key: string): Promise<void> {
    this.#remember(key);
    await this.#limiter.penalty(key);
  }

  /** Takes back one attempt, which did not fail. */
  async forgive(key: string): Promise<void> {
    await this.#limiter.reward(key);
  }

  /** Takes back all of them. */
  async forget(key: string): Promise<void> {
    this.#keys.delete(key);
    await this.#limiter.delete(key);
  }

  #remember(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    if (this.#keys.size <= this.#mostKeys) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) void this.forget(oldest);
  }

  #refused({ msBeforeNext }: RateLimiterRes): StoreError {
    this.#onRefused();
    const seconds = Math.max(1, Math.ceil(msBeforeNext / 1_000));
    return new StoreError(
      "rate_limited",
      `Too many ${this.#what}. Try again in ${seconds} seconds.`,
      {
        context: { limit: seconds },
      },
    );
  }
}

/**
 * What failures from an address are counted by: an IPv4 address, or the /64 of an IPv6 one, of which
 * whoever has one address has all.
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) return address.slice(0, 64);
  const canonical = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}
