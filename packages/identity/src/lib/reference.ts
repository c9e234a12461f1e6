import { parseContentAddress } from "./content-address.ts";
import type { ContentAddress } from "./content-address.ts";
import { isStoreError, StoreError } from "./error.ts";
import { assertName, assertNamespace, assertTag, assertVariant, assertVersion } from "./names.ts";
import { quote, shorten } from "./quote.ts";

/** The name of exactly one package. */
export interface PackageCoordinates {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly variant?: string;
}

/** Which of the packages of `namespace/name` is meant. */
export type ReferenceSelector =
  /** Neither version nor tag was given. With a variant it is written as the tag `latest`. */
  | { readonly kind: "latest"; readonly variant?: string }
  | { readonly kind: "version"; readonly version: string; readonly variant?: string }
  | { readonly kind: "tag"; readonly tag: string; readonly variant?: string }
  /** The digest of a manifest. */
  | { readonly kind: "digest"; readonly address: ContentAddress };

/** What a reference says; the same reference has one text only. */
export interface Reference {
  readonly namespace: string;
  readonly name: string;
  readonly selector: ReferenceSelector;
}

/** Four parts of 128 characters and three separators; no reference is longer. */
const referenceLengthLimit = 4 * 128 + 3;

const grammar =
  "namespace/name, then nothing, @version, @version/variant, :tag, :tag/variant or @blake3:<hex>";

/**
 * Reads a reference:
 *
 *     reference = namespace "/" name [ "@" address / ( "@" version / ":" tag ) [ "/" variant ] ]
 *
 * Nothing is trimmed, decoded or folded: what is accepted is what {@link formatReference} writes.
 *
 * @throws {StoreError} `invalid_reference`, with the broken rule as the cause where a part is at
 *   fault.
 */
export function parseReference(text: string): Reference {
  if (typeof text !== "string" || text.length > referenceLengthLimit) throw malformed(text);
  const slash = text.indexOf("/");
  if (slash === -1) throw malformed(text);
  const mark = firstMark(text, slash + 1);
  const namespace = text.slice(0, slash);
  const name = text.slice(slash + 1, mark);
  return naming(text, () => {
    assertNamespace(namespace);
    assertName(name);
    return { namespace, name, selector: parseSelector(text.slice(mark)) };
  });
}

/**
 * The one text of a reference.
 *
 * @throws {StoreError} `invalid_reference` where a part breaks its rule.
 */
export function formatReference(reference: Reference): string {
  const { namespace, name, selector } = reference;
  const text = `${namespace}/${name}${formatSelector(selector)}`;
  return naming(text, () => {
    assertNamespace(namespace);
    assertName(name);
    assertSelector(selector);
    return text;
  });
}

/**
 * `acme/app@1.2.0` or `acme/app@1.2.0/linux-amd64`: the reference of exactly this package.
 *
 * @throws {StoreError} `invalid_reference` where a part breaks its rule.
 */
export function formatCoordinates(coordinates: PackageCoordinates): string {
  const { namespace, name, version, variant } = coordinates;
  const selector = { kind: "version", version } as const;
  return formatReference({
    namespace,
    name,
    selector: variant === undefined ? selector : { ...selector, variant },
  });
}

/** Where the name ends: at the first `@` or `:`, or with the text. */
function firstMark(text: string, from: number): number {
  for (let index = from; index < text.length; index += 1) {
    if (text[index] === "@" || text[index] === ":") return index;
  }
  return text.length;
}

function parseSelector(text: string): ReferenceSelector {
  if (text === "") return { kind: "latest" };
  const rest = text.slice(1);
  // A version never has a colon, so what has one can only be the digest of a manifest.
  if (text.startsWith("@") && rest.includes(":")) {
    return { kind: "digest", address: parseContentAddress(rest) };
  }
  const slash = rest.indexOf("/");
  const value = slash === -1 ? rest : rest.slice(0, slash);
  const variant = slash === -1 ? {} : { variant: rest.slice(slash + 1) };
  const selector: ReferenceSelector = text.startsWith("@")
    ? { kind: "version", version: value, ...variant }
    : { kind: "tag", tag: value, ...variant };
  assertSelector(selector);
  return selector;
}

function assertSelector(selector: ReferenceSelector): void {
  if (selector.kind === "digest") {
    parseContentAddress(selector.address);
    return;
  }
  if (selector.kind === "version") assertVersion(selector.version);
  if (selector.kind === "tag") assertTag(selector.tag);
  if (selector.variant !== undefined) assertVariant(selector.variant);
}

function formatSelector(selector: ReferenceSelector): string {
  if (selector.kind === "digest") return `@${selector.address}`;
  const variant = selector.variant === undefined ? "" : `/${selector.variant}`;
  if (selector.kind === "version") return `@${selector.version}${variant}`;
  if (selector.kind === "tag") return `:${selector.tag}${variant}`;
  return variant === "" ? "" : `:latest${variant}`;
}

/** Runs `work` and gives what it refuses the name of the whole reference. */
function naming<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isStoreError(error, "invalid_name") && !isStoreError(error, "invalid_digest")) throw error;
    throw new StoreError(
      "invalid_reference",
      `The reference ${quote(text)} is not acceptable: ${error.message}`,
      { cause: error, context: { reference: shorten(text) } },
    );
  }
}

function malformed(text: unknown): StoreError {
  const context =
    typeof text === "string"
      ? { reference: shorten(text), limit: referenceLengthLimit }
      : { limit: referenceLengthLimit };
  return new StoreError(
    "invalid_reference",
    `${quote(text)} is no reference; write ${grammar}, at most ${referenceLengthLimit} characters.`,
    { context },
  );
}
