import {
  coversNamePattern,
  formatNamePattern,
  matchesNamePattern,
  parseNamePattern,
  StoreError,
  type NamePattern,
} from "@store/identity";

/** What a scope lets its holder do with the names of its pattern; each includes those before. */
export type ScopeLevel = "read" | "write" | "admin";

/**
 * One thing that a credential may do: `read:<pattern>`, `write:<pattern>` or `admin:<pattern>` over
 * names, or `metrics`, which no other scope includes.
 */
export type Scope =
  | { readonly level: ScopeLevel; readonly pattern: NamePattern }
  | { readonly level: "metrics" };

/** A `namespace/name`. */
export interface FullName {
  readonly namespace: string;
  readonly name: string;
}

/** How many scopes a user or a token may have. */
export const scopesLimit = 100;

const ranks = { read: 1, write: 2, admin: 3 } as const satisfies Record<ScopeLevel, number>;

/**
 * Parses a scope's text.
 *
 * @throws {StoreError} `invalid_argument`, or `invalid_name` where a name in it breaks its rule
 */
export function parseScope(text: string): Scope {
  const given: unknown = text;
  if (given === "metrics") return { level: "metrics" };
  const parts = typeof given === "string" ? /^(read|write|admin):(.*)$/s.exec(given) : null;
  const [, level, pattern] = parts ?? [];
  if ((level === "read" || level === "write" || level === "admin") && pattern !== undefined) {
    return { level, pattern: parseNamePattern(pattern) };
  }
  const actual = typeof given === "string" ? given.slice(0, 80) : typeof given;
  throw new StoreError(
    "invalid_argument",
    `${JSON.stringify(actual)} is no scope; write read:<pattern>, write:<pattern>, ` +
      "admin:<pattern> or metrics, where a pattern is like * or acme/*.",
    { context: { actual } },
  );
}

/** Writes a scope as {@link parseScope} reads it. */
export function formatScope(scope: Scope): string {
  if (scope.level === "metrics") return "metrics";
  return `${scope.level}:${formatNamePattern(scope.pattern)}`;
}

/**
 * Parses a list of scopes, leaves out those that another one includes, and sorts them by their
 * texts.
 *
 * @throws {StoreError} as {@link parseScope}, and `limit_exceeded` above {@link scopesLimit}
 */
export function parseScopes(texts: readonly string[]): Scope[] {
  if (texts.length > scopesLimit) {
    throw new StoreError(
      "limit_exceeded",
      `A user or a token has at most ${scopesLimit} scopes, not ${texts.length}.`,
      { context: { limit: scopesLimit, actual: texts.length } },
    );
  }
  return simplifyScopes(texts.map(parseScope));
}

/** The same scopes without those that another one includes, sorted by their texts. */
export function simplifyScopes(scopes: readonly Scope[]): Scope[] {
  const byText = new Map(scopes.map((scope) => [formatScope(scope), scope]));
  const kept = [...byText].filter(
    ([text, scope]) =>
      !byText.entries().some(([other, outer]) => other !== text && includesScope(outer, scope)),
  );
  return kept.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, scope]) => scope);
}

/** Whether `outer` alone lets do all that `inner` does. */
export function includesScope(outer: Scope, inner: Scope): boolean {
  if (outer.level === "metrics" || inner.level === "metrics") return outer.level === inner.level;
  return (
    ranks[outer.level] >= ranks[inner.level] && coversNamePattern(outer.pattern, inner.pattern)
  );
}

/** Whether the scopes let do something with a name. */
export function allowsName(scopes: readonly Scope[], level: ScopeLevel, name: FullName): boolean {
  return scopes.some(
    (scope) =>
      scope.level !== "metrics" &&
      ranks[scope.level] >= ranks[level] &&
      matchesNamePattern(scope.pattern, name),
  );
}

/** Whether the scopes let do something with some name. */
export function allowsSome(scopes: readonly Scope[], level: ScopeLevel): boolean {
  return scopes.some((scope) => scope.level !== "metrics" && ranks[scope.level] >= ranks[level]);
}

const instanceAdmin = parseScope("admin:*");

/** Whether the scopes hold `admin:*`: the users, the keys and the instance as a whole. */
export function isInstanceAdmin(scopes: readonly Scope[]): boolean {
  return scopes.some((scope) => includesScope(scope, instanceAdmin));
}

/** Whether the holder of `own` may give `scope` away: what is included in it, and with `admin:*` all. */
export function mayGrant(own: readonly Scope[], scope: Scope): boolean {
  return isInstanceAdmin(own) || own.some((each) => includesScope(each, scope));
}

/**
 * What a token may do: what its own scopes and its owner's both allow, so that a token never
 * outgrows its owner. Of two patterns one lies within the other, or they have no name in common.
 */
export function intersectScopes(token: readonly Scope[], owner: readonly Scope[]): Scope[] {
  const common = token.flatMap((scope): Scope[] => {
    if (scope.level === "metrics") return mayGrant(owner, scope) ? [scope] : [];
    return owner.flatMap((other): Scope[] => {
      if (other.level === "metrics") return [];
      const pattern = commonPattern(scope.pattern, other.pattern);
      if (pattern === undefined) return [];
      const level = ranks[scope.level] < ranks[other.level] ? scope.level : other.level;
      return [{ level, pattern }];
    });
  });
  return simplifyScopes(common);
}

function commonPattern(one: NamePattern, other: NamePattern): NamePattern | undefined {
  if (coversNamePattern(one, other)) return other;
  return coversNamePattern(other, one) ? one : undefined;
}
