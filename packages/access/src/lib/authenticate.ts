import { StoreError } from "@store/identity";

import { notAccepted, verifyAccessToken } from "./credentials/access-token.ts";
import { isApiToken, looksLikeApiToken } from "./credentials/api-token.ts";
import { digestText } from "./credentials/digest-text.ts";
import { addressKey } from "./failures.ts";
import type { AccessInstance } from "./instance.ts";
import { formatTime } from "./times.ts";
import type { Decision } from "./principal-cache.ts";
import { anonymousPrincipal } from "./principal.ts";
import { findSession, findTokenByDigest, readScopes } from "./queries/accounts.ts";
import { intersectScopes, parseScope, simplifyScopes, type Scope } from "./scope.ts";
import type { Origin, Principal } from "./types.ts";

/** Longer than any credential that is given out. */
const longestCredential = 4_096;

/** Whom an `Authorization` header (RFC 6750 section 2.1) stands for. */
export async function authenticate(
  instance: AccessInstance,
  authorization: string | undefined,
  { address }: Origin,
): Promise<Principal> {
  if (authorization === undefined) return anonymousPrincipal(instance.anonymousRead);
  const credential = bearer(authorization);
  const key = credential === undefined ? "" : Buffer.from(digestText(credential)).toString("hex");
  const known = instance.cache.find(key);
  if (known !== undefined) return known;
  const from = addressKey(address);
  await instance.tokenByAddress.check(from);
  if (credential !== undefined) {
    const decided = await instance.cache.decide(key, () => decide(instance, credential));
    // Whoever shows what has ended guesses nothing, and may well be about to log in again.
    if (decided === "ended") throw notAccepted();
    if (decided !== undefined) return decided;
  }
  await instance.tokenByAddress.fail(from);
  throw credential === undefined ? malformed() : notAccepted();
}

function malformed(): StoreError {
  const message = "The Authorization header is not accepted: write `Bearer`, then the credential.";
  return new StoreError("unauthenticated", message);
}

function bearer(authorization: string): string | undefined {
  if (authorization.length > longestCredential) return undefined;
  return /^bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization)?.[1];
}

function decide(instance: AccessInstance, credential: string): Promise<Decision> {
  return looksLikeApiToken(credential)
    ? tokenPrincipal(instance, credential)
    : sessionPrincipal(instance, credential);
}

/** The principal of an access token, as its session and user are now. */
async function sessionPrincipal(instance: AccessInstance, credential: string): Promise<Decision> {
  const claims = await verifyAccessToken(credential, instance.keys, instance.rules);
  if (claims === undefined || claims === "ended") return claims;
  const found = await findSession(instance.database.reader, claims.sessionId);
  if (found === undefined) return "ended";
  const { session, user } = found;
  const hasEnded = session.revokedAt !== null || user.disabledAt !== null;
  if (hasEnded || user.userId !== claims.userId) return "ended";
  return {
    actor: `user:${user.userId}`,
    kind: "user",
    userId: user.userId,
    username: user.username,
    scopes: withAnonymous(instance, readScopes(user.scopes)),
    sessionId: session.sessionId,
    expiresAt: formatTime(claims.expiresAtMs),
  };
}

/** The principal of an API token or the setup token. */
async function tokenPrincipal(instance: AccessInstance, credential: string): Promise<Decision> {
  if (!isApiToken(credential)) return undefined;
  const { database, clock } = instance;
  const found = await findTokenByDigest(database.reader, digestText(credential));
  if (found === undefined) return undefined;
  const { token, user } = found;
  const isPast = token.expiresAt !== null && token.expiresAt <= formatTime(clock());
  if (token.revokedAt !== null || isPast) return "ended";
  const of = { actor: `token:${token.tokenId}`, tokenId: token.tokenId };
  if (token.kind === "setup") return { ...of, kind: "setup", scopes: [] };
  if (user === null || user.disabledAt !== null) return "ended";
  instance.uses.add(token.tokenId, token.lastUsedAt);
  const scopes = intersectScopes(readScopes(token.scopes), readScopes(user.scopes));
  return {
    ...of,
    kind: "token",
    userId: user.userId,
    username: user.username,
    scopes: withAnonymous(instance, scopes),
    ...(token.expiresAt === null ? {} : { expiresAt: token.expiresAt }),
  };
}

const readEverything = parseScope("read:*");

/** Nobody may read less with a credential than without one. */
function withAnonymous(
  { anonymousRead }: Pick<AccessInstance, "anonymousRead">,
  scopes: readonly Scope[],
): Scope[] {
  return anonymousRead ? simplifyScopes([...scopes, readEverything]) : [...scopes];
}
