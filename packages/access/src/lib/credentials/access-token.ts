import { isStoreError, StoreError } from "@store/identity";
import { errors, jwtVerify, SignJWT, type JWTHeaderParameters } from "jose";

import { algorithm, type KeyRing, type SigningKey } from "./key-ring.ts";

/** What access tokens of one instance are made and held against. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
  readonly accessTokenMs: number;
  readonly clockSkewMs: number;
  readonly clock: () => number;
}

/** Whom an access token stands for. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

const tokenType = "at+jwt";
const longestToken = 2_048;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Signs an access token: a JWT (RFC 7519) of the type `at+jwt` (RFC 9068 section 2.1), signed with
 * Ed25519 (RFC 8037). It holds no scopes: those are looked up when it is used.
 */
export async function signAccessToken(
  key: SigningKey,
  { issuer, audience, accessTokenMs, clock }: TokenRules,
  { userId, sessionId }: Pick<AccessClaims, "userId" | "sessionId">,
): Promise<string> {
  const issuedAt = Math.floor(clock() / 1_000);
  return new SignJWT({ sid: sessionId })
    .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: key.id })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(userId)
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(issuedAt + Math.ceil(accessTokenMs / 1_000))
    .sign(key.privateKey);
}

/**
 * Holds an access token against its signature, issuer, audience, type and times. `ended` is one that
 * was accepted before it expired; undefined one that never was.
 *
 * @throws {StoreError} what reading the keys throws
 */
export async function verifyAccessToken(
  token: string,
  ring: KeyRing,
  rules: TokenRules,
): Promise<AccessClaims | "ended" | undefined> {
  if (token.length > longestToken) return undefined;
  let retiredAtMs: number | undefined;
  try {
    const keyOf = async ({ kid }: JWTHeaderParameters) => {
      const key = kid !== undefined && uuid.test(kid) ? await ring.find(kid) : undefined;
      if (key === undefined) throw new Error("unknown key");
      retiredAtMs = key.retiredAtMs;
      return key.publicKey;
    };
    const { payload } = await jwtVerify(token, keyOf, {
      algorithms: [algorithm],
      typ: tokenType,
      issuer: rules.issuer,
      audience: rules.audience,
      clockTolerance: Math.ceil(rules.clockSkewMs / 1_000),
      currentDate: new Date(rules.clock()),
      requiredClaims: ["sub", "sid", "iat", "nbf", "exp"],
    });
    const { sub, sid, exp = 0, iat = 0 } = payload;
    if (sub === undefined || typeof sid !== "string" || !uuid.test(sub) || !uuid.test(sid)) {
      return undefined;
    }
    // A key that was stolen after it was retired signs nothing that is believed.
    if (retiredAtMs !== undefined && iat * 1_000 > retiredAtMs + rules.clockSkewMs) {
      return undefined;
    }
    return { userId: sub, sessionId: sid, expiresAtMs: exp * 1_000 };
  } catch (error) {
    if (isStoreError(error)) throw error;
    // Thrown last, so that everything else about it is right.
    return error instanceof errors.JWTExpired ? "ended" : undefined;
  }
}

/** The refusal of every credential that is not accepted. */
export function notAccepted(): StoreError {
  return new StoreError(
    "unauthenticated",
    "The credential is not accepted: it is wrong, has ended or was revoked. Log in again, or give another.",
  );
}
