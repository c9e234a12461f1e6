import {
  contentAddress,
  Digest,
  digestOf,
  parseContentAddress,
  StoreError,
  type ContentAddress,
  type DigestAlgorithm,
} from "@store/identity";
import type { ExpectedContent } from "@store/registry";
import { parseDictionary } from "structured-headers";

import type { HeaderReader } from "./conditions.ts";

/** What HTTP calls an algorithm; `blake3` is not in IANA's registry, and named as it is here. */
const algorithms = new Map<string, DigestAlgorithm>([
  ["sha-256", "sha256"],
  ["blake3", "blake3"],
]);

/** Both digests as `Repr-Digest` and `Content-Digest` have them (RFC 9530 §2). */
export function formatDigests(...addresses: readonly ContentAddress[]): string {
  return addresses
    .map((address) => {
      const { algorithm, bytes } = digestOf(address);
      const name = algorithm === "sha256" ? "sha-256" : algorithm;
      return `${name}=:${Buffer.from(bytes).toString("base64")}:`;
    })
    .join(", ");
}

/**
 * The digests that a request claims for its body: by `Content-Digest`, `Repr-Digest` and an
 * address. Algorithms that nobody knows here are passed over (RFC 9530 §2).
 *
 * @throws {StoreError} `invalid_digest` for a header that is malformed, `invalid_argument` where
 *   two claims contradict each other
 */
export function claimedDigests(
  header: HeaderReader,
  address: string | undefined,
): Pick<ExpectedContent, "address" | "sha256"> {
  const claims = new Map<DigestAlgorithm, ContentAddress>();
  const claim = (made: ContentAddress) => {
    const { algorithm } = digestOf(made);
    const before = claims.get(algorithm) ?? made;
    if (before !== made) throw contradiction(before, made);
    claims.set(algorithm, made);
  };
  if (address !== undefined) claim(parseContentAddress(address));
  for (const name of ["content-digest", "repr-digest"]) {
    for (const made of parseDigests(name, header(name))) claim(made);
  }
  const [blake3, sha256] = [claims.get("blake3"), claims.get("sha256")];
  return {
    ...(blake3 === undefined ? {} : { address: blake3 }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function* parseDigests(name: string, value: string | undefined): Generator<ContentAddress> {
  if (value === undefined) return;
  for (const [key, [item]] of dictionaryOf(name, value)) {
    const algorithm = algorithms.get(key);
    if (algorithm === undefined) continue;
    if (!(item instanceof ArrayBuffer)) throw malformed(name, value);
    yield contentAddress(Digest.of(algorithm, new Uint8Array(item)));
  }
}

function dictionaryOf(name: string, value: string) {
  try {
    return parseDictionary(value);
  } catch (cause) {
    throw malformed(name, value, cause);
  }
}

function malformed(name: string, value: string, cause?: unknown): StoreError {
  return new StoreError(
    "invalid_digest",
    `The header ${name} is malformed; write it as sha-256=:<base64>: or blake3=:<base64>:.`,
    { context: { actual: value.slice(0, 200) }, ...(cause === undefined ? {} : { cause }) },
  );
}

function contradiction(one: ContentAddress, other: ContentAddress): StoreError {
  return new StoreError(
    "invalid_argument",
    `The request declares its bytes as ${one} and as ${other}; they cannot be both.`,
    { context: { expected: one, actual: other } },
  );
}
